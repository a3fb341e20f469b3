/* The reply box: Ctrl+Enter sends, SMS shows its parts; what is typed is kept by drafts.js.
   The idempotency key is a hidden field from the server: it stays the same until the server has accepted the message. */
(() => {
  const gsm = /^[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà\f^{}\\[~\]|€]*$/;

  function parts(text) {
    const isGsm = gsm.test(text);
    const size = isGsm ? text.length + (text.match(/[\f^{}\\[~\]|€]/g) || []).length : text.length;
    const [single, many] = isGsm ? [160, 153] : [70, 67];
    return { size, count: size <= single ? 1 : Math.ceil(size / many), room: size <= single ? single : many };
  }

  function count(area) {
    const out = area.closest("[data-composer]")?.querySelector("[data-segments]");
    if (!out) return;
    const { size, count: n } = parts(area.value);
    out.hidden = !size;
    out.querySelector("[data-size]").textContent = size;
    out.querySelector("[data-count]").textContent = n;
  }

  const box = "[data-composer] textarea[data-draft]";
  const countAll = () => document.querySelectorAll(box).forEach(count);
  ["input", "restored"].forEach((name) => document.addEventListener(name, (event) => { if (event.target.matches(box)) count(event.target); }));

  document.addEventListener("keydown", (event) => {
    const form = event.target.closest?.("form[data-composer], dialog form");
    if (!form || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.requestSubmit((event.shiftKey && form.querySelector("[data-send-close]")) || form.querySelector("[data-send]") || undefined);
  });

  document.addEventListener("htmx:after:swap", countAll);
  countAll();
})();
