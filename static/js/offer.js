/* The card of an offer: counts down by the server's clock, rings once, and is fetched anew when its time is over. The
   card of a call that rings has the same bar; the rest of it is softphone.js's.
   Focus stays where it is; Alt+A accepts from anywhere, also while writing. */
(() => {
  let rung = "", flashing;
  const card = () => document.querySelector("[data-offer]");

  function stopFlashing() { clearInterval(flashing?.timer); if (flashing) document.title = flashing.usual; flashing = undefined; }

  function ring(found) {
    if (found.dataset.offer === rung) return;
    rung = found.dataset.offer;
    const claimed = `last_offer=${rung}`;
    stopFlashing();
    if (document.hidden) {
      const usual = document.title;
      let isOn = false;
      flashing = { usual, timer: setInterval(() => { isOn = !isOn; document.title = isOn ? `● ${found.dataset.title}` : usual; }, 1000) };
    }
    if (document.cookie.includes(claimed)) return; // another tab of this browser has rung
    document.cookie = `${claimed};path=/;max-age=600;samesite=lax`;
    const url = document.querySelector("[data-bell]")?.dataset.soundUrl;
    if (url) new Audio(url).play().catch(() => { /* no gesture yet: the card and the title say it */ });
  }

  function drain(found) {
    const until = Date.parse(found.dataset.expiresAt), left = until - continuo.serverTime();
    const share = Math.max(0, Math.min(1, left / (until - Date.parse(found.dataset.offeredAt))));
    found.querySelector(".progress").style.setProperty("--v", `${share * 100}%`);
    found.dataset.state = share <= 0.25 ? "soon" : "ok";
    return left;
  }

  function tick() {
    document.querySelectorAll("[data-ringing][data-expires-at]").forEach(drain);
    const found = card();
    if (!found) { if (flashing) stopFlashing(); return; }
    ring(found);
    const rest = drain(found), left = Math.max(0, Math.ceil(rest / 1000));
    const text = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    const shown = found.querySelector("[data-offer-left]");
    if (shown.textContent !== text) shown.textContent = text;
    if (!found.dataset.over && rest < -4000) { found.dataset.over = ""; continuo.refetch?.(document.getElementById("offers")); }
  }

  document.addEventListener("keydown", (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    const control = document.querySelector(`[data-alt-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!control) return;
    event.preventDefault();
    control.click();
  });
  document.addEventListener("visibilitychange", stopFlashing);
  document.addEventListener("htmx:after:swap", tick);
  setInterval(tick, 500);
  tick();
})();
