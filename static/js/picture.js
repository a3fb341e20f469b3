/* A picture in the thread opens in a dialog; without this script it is a download. */
(() => {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-picture]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const dialog = document.getElementById("picture-template").content.firstElementChild.cloneNode(true);
    dialog.querySelector("[data-title]").textContent = link.dataset.pictureName;
    dialog.querySelector("img").src = link.dataset.picture;
    dialog.querySelector("img").alt = link.querySelector("img").alt;
    dialog.querySelector("a").href = link.href;
    document.getElementById("dialogs").append(dialog);
    dialog.addEventListener("close", () => { dialog.remove(); link.focus(); });
    dialog.showModal();
  });
})();
