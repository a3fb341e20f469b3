/* The reply box: what was typed survives every swap (in memory only), Ctrl+Enter sends, SMS shows its parts.
   The idempotency key is a hidden field from the server: it stays the same until the server has accepted the message. */
(() => {
  const drafts = new Map();
  const keyOf = (area) => area.closest("[data-draft-key]")?.dataset.draftKey;
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

  function restore() {
    document.querySelectorAll("[data-composer] textarea[data-draft]").forEach((area) => {
      const draft = drafts.get(keyOf(area));
      if (draft && !area.value) area.value = draft;
      count(area);
    });
  }

  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-composer] textarea[data-draft]")) return;
    drafts.set(keyOf(event.target), event.target.value);
    count(event.target);
  });

  document.addEventListener("keydown", (event) => {
    const form = event.target.closest?.("form[data-composer], dialog form");
    if (!form || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.requestSubmit((event.shiftKey && form.querySelector("[data-send-close]")) || form.querySelector("[data-send]") || undefined);
  });

  // Forget a draft only when the server has taken it.
  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    const form = ctx.sourceElement?.closest?.("form[data-composer]");
    if (!form || ctx.request.method === "GET" || ctx.response.status >= 400) return;
    drafts.delete(form.dataset.draftKey);
    const area = form.querySelector("textarea[data-draft]");
    if (area) area.value = "";
  });

  document.addEventListener("htmx:after:swap", restore);
  addEventListener("beforeunload", (event) => { if ([...drafts.values()].some((text) => text.trim())) event.preventDefault(); });
  restore();
})();
