/* Patient pages: the summary of what to correct takes the focus; a sent form cannot be sent twice by a double tap. */
(() => {
  document.querySelector(".errors")?.focus();
  document.addEventListener("submit", (event) => {
    const button = event.target.querySelector("[type=submit]");
    if (button?.hasAttribute("data-busy")) { event.preventDefault(); return; }
    if (button) button.dataset.busy = "";
  });
  addEventListener("pageshow", () => document.querySelectorAll("[data-busy]").forEach((button) => delete button.dataset.busy));
})();
