/* Find in a conversation: a hit that is on the page is scrolled to; any other link opens the page of the thread that ends
   with it. Arriving at such a page, the entry is scrolled to as well. */
(() => {
  function show(id) {
    const entry = id && document.getElementById(id);
    if (!entry) return false;
    entry.scrollIntoView({ block: "center" });
    entry.setAttribute("tabindex", "-1");
    entry.focus({ preventScroll: true });
    return true;
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-jump]");
    if (!link || !document.getElementById(link.dataset.jump)) return;
    event.preventDefault();
    link.closest("dialog")?.close();
    show(link.dataset.jump);
  });
  // A menu whose entry opens a dialog is in the way of it, and would be what the focus comes back to.
  document.addEventListener("click", (event) => {
    const menu = event.target.closest?.(".menu__item[hx-get]")?.closest("details[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });
  const wanted = decodeURIComponent(location.hash.slice(1));
  if (/^(message|note|task)-\d+$/.test(wanted)) requestAnimationFrame(() => show(wanted));
})();
