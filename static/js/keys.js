/* Single keys outside fields (WCAG 2.1.4: the cookie single_keys=off switches them off). A key presses the control that
   names it: <a data-key="w">. J and K walk the list. */
(() => {
  const isOff = () => document.body.dataset.keys === "off";
  const rows = () => [...document.querySelectorAll("[data-row]")];

  function walk(step) {
    const all = rows();
    if (!all.length) return;
    const here = all.indexOf(document.activeElement.closest?.("[data-row]") || document.querySelector("[data-row][aria-current]"));
    all[Math.max(0, Math.min(all.length - 1, here + step))].focus();
  }

  function leave(field) { // keys work again, and the focus stays near: at the heading, the list, the page
    const near = field.closest(".talk")?.querySelector("[data-focus-on-open]") || (field.closest(".list") && document.getElementById("rows"));
    (near || document.getElementById("main"))?.focus({ preventScroll: true });
  }

  function back() { // to the row that is open, on a phone to the list
    document.querySelector(".inbox")?.setAttribute("data-pane", "list");
    (document.querySelector("[data-row][aria-current]") || rows()[0])?.focus();
  }

  document.addEventListener("keydown", (event) => {
    if (isOff() || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input:not([type=checkbox]),textarea,select,[contenteditable]")) {
      if (event.key === "Escape") leave(event.target);
      return;
    }
    const key = event.key === "?" ? "?" : event.key.toLowerCase();
    if (key === "j" || key === "k") { event.preventDefault(); walk(key === "j" ? 1 : -1); return; }
    if (key === "escape") { back(); return; }
    const control = document.querySelector(`[data-key="${CSS.escape(key)}"]:not(:disabled)`);
    if (!control) return;
    event.preventDefault();
    if (control.matches("textarea,input:not([type=radio])")) control.focus();
    else if (control.matches("summary")) { control.parentElement.open = true; control.focus(); }
    else control.click();
    const focus = control.dataset.keyFocus && document.getElementById(control.dataset.keyFocus);
    focus?.focus();
  });

  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-keys-switch]")) return;
    document.body.dataset.keys = event.target.checked ? "on" : "off";
    document.cookie = `single_keys=${document.body.dataset.keys};path=/;max-age=31536000;samesite=lax`;
  });
})();
