/* Ticking texts: [data-since] shows how long ago, [data-until] how long is left, [data-due] how long until or since
   a deadline that is near from [data-warn] on (ISO 8601 instants). Never announced.
   The server's clock counts: the one of this machine may be wrong. */
(() => {
  let offset = 0; // ms that this machine is behind the server
  const serverNow = (now) => { if (Number.isFinite(now)) { offset = now - Date.now(); tick(); } };

  function span(seconds) {
    const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60), days = Math.floor(hours / 24);
    if (days) return `${days}d`;
    if (hours) return `${hours}h ${String(minutes % 60).padStart(2, "0")}m`;
    return `${minutes}m`;
  }

  function tick() {
    const now = Date.now() + offset;
    document.querySelectorAll("[data-since]").forEach((node) => {
      const text = span(Math.max(0, (now - Date.parse(node.dataset.since)) / 1000));
      if (node.textContent !== text) node.textContent = text;
    });
    document.querySelectorAll("[data-due]").forEach((node) => { // a deadline: amber when it is near, red when it has passed
      const left = (Date.parse(node.dataset.due) - now) / 1000, chip = node.closest(".sla");
      const text = span(Math.abs(left));
      const state = left < 0 ? "late" : now >= Date.parse(node.dataset.warn) ? "soon" : "ok";
      if (node.textContent !== text) node.textContent = text;
      if (chip && chip.dataset.state !== state) chip.dataset.state = state;
    });
    document.querySelectorAll("[data-until]").forEach((node) => {
      const left = (Date.parse(node.dataset.until) - now) / 1000;
      const text = span(Math.max(0, left));
      if (node.textContent !== text) node.textContent = text;
      if (left <= 0 && !node.dataset.ended) { // what ended (a WhatsApp window) is drawn by the server
        node.dataset.ended = "";
        node.dispatchEvent(new CustomEvent("ended", { bubbles: true }));
      }
    });
  }

  window.continuo = Object.assign(window.continuo || {}, { serverNow, serverTime: () => Date.now() + offset });
  serverNow(Number(document.body.dataset.now) * 1000);
  setInterval(tick, 10000);
  document.addEventListener("htmx:after:swap", tick);
})();
