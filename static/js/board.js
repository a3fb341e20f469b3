/* The wall's own clock, times that run by the second ([data-lasts], ISO 8601), and the choice of a team. By the server's clock. */
(() => {
  const two = (number) => String(number).padStart(2, "0");

  function span(seconds) {
    const hours = Math.floor(seconds / 3600), days = Math.floor(seconds / 86400), minutes = Math.floor(seconds / 60);
    if (days) return `${days}d`;
    return hours ? `${hours}h ${two(minutes % 60)}m` : `${minutes}:${two(seconds % 60)}`;
  }

  function tick() {
    const now = continuo.serverTime();
    document.querySelectorAll("[data-lasts]").forEach((node) => {
      const text = span(Math.max(0, Math.floor((now - Date.parse(node.dataset.lasts)) / 1000)));
      if (node.textContent !== text) node.textContent = text;
    });
    const clock = document.querySelector("[data-wall-clock]"), numbers = document.getElementById("board")?.dataset.numbersAt;
    if (!clock || !numbers) return;
    const zone = /([+-])(\d\d):(\d\d)$/.exec(numbers); // the clinic's clock, not this screen's
    const offset = zone ? (zone[1] === "-" ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3])) * 60000 : 0;
    const local = new Date(now + offset), text = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}`;
    if (clock.textContent !== text) { clock.textContent = text; clock.dateTime = text; }
  }

  document.addEventListener("change", (event) => { if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit(); });
  document.addEventListener("htmx:after:swap", tick);
  setInterval(tick, 1000);
})();
