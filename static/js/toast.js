/* Short messages in the bottom-left corner. Any script or an HX-Trigger header may raise a `toast` event:
   {text, kind: "ok" | "danger", action: {label, run}}. Toasts leave after 8 s; failures stay until they are closed. */
(() => {
  const region = () => document.getElementById("toasts");

  function show({ text, kind = "ok", sticky = kind === "danger", action, id }) {
    const template = document.getElementById("toast-template");
    if (!text || !template || !region()) return null;
    if (id) region().querySelector(`[data-toast="${CSS.escape(id)}"]`)?.remove();
    const toast = template.content.firstElementChild.cloneNode(true);
    toast.dataset.toast = id || "";
    toast.classList.toggle("toast--danger", kind === "danger");
    toast.querySelectorAll("[data-kind]").forEach((icon) => { icon.hidden = !(icon.dataset.kind === kind); });
    toast.querySelector("[data-text]").textContent = text;
    if (action) {
      const button = toast.querySelector("[data-action]");
      button.textContent = action.label;
      button.hidden = false;
      button.addEventListener("click", () => { toast.remove(); action.run(); });
    }
    region().append(toast);
    if (!sticky) setTimeout(() => toast.remove(), 8000);
    return toast;
  }

  document.addEventListener("toast", (event) => show(event.detail));
  document.addEventListener("click", (event) => event.target.closest("[data-dismiss]")?.closest(".toast")?.remove());
  setTimeout(() => document.querySelectorAll(".toast[data-fades]").forEach((toast) => toast.remove()), 8000);
  window.continuo = { toast: show };
})();
