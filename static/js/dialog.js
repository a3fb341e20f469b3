/* Dialogs: [data-open="id"] opens one that is in the page; one that arrives from the server with [data-dialog-now] opens at once.
   [data-close] closes; a dialog that came from the server leaves the page when it closes; focus goes back where it was. */
(() => {
  let opener = null;

  function open(dialog) {
    if (!dialog || dialog.open) return;
    opener = document.activeElement;
    dialog.showModal();
    (dialog.querySelector("[aria-invalid='true']") || dialog.querySelector("[autofocus]"))?.focus();
  }

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-open],[data-close]");
    if (target?.dataset.open) open(document.getElementById(target.dataset.open));
    if (target?.hasAttribute("data-close")) {
      const dialog = target.closest("dialog");
      if (dialog) { event.preventDefault(); dialog.close(); }
    }
  });

  document.addEventListener("close", (event) => {
    if (!event.target.matches?.("dialog")) return;
    if (event.target.hasAttribute("data-dialog-now")) event.target.remove();
    if (opener?.isConnected) opener.focus();
    opener = null;
  }, true);

  const openArrived = () => document.querySelectorAll("dialog[data-dialog-now]:not([open])").forEach(open);
  document.addEventListener("htmx:after:swap", openArrived);
  document.addEventListener("dialog-done", () => document.querySelectorAll("dialog[open][data-dialog-now]").forEach((dialog) => dialog.close()));
  openArrived();
})();
