/* The bell: rings once for what is new, however many tabs are open. Fresh notifications stand in the bell's mark as
   [data-notice]; they name no patient. A hidden tab flashes its title; sound waits until the browser allows it. */
(() => {
  const bell = () => document.querySelector("[data-bell]");
  let flashing, sound;

  const lastRung = () => Number(/(?:^|; )last_notice=(\d+)/.exec(document.cookie)?.[1] || 0);
  function claim(id) { // one tab of this browser rings, the others stay silent
    if (id <= lastRung()) return false;
    document.cookie = `last_notice=${id};path=/;max-age=86400;samesite=lax`;
    return true;
  }

  function play() {
    if (!bell()) return;
    sound = sound || new Audio(bell().dataset.soundUrl);
    sound.currentTime = 0;
    sound.play().catch(() => { /* no gesture yet: the count and the title say it */ });
  }

  function flash(title) {
    if (!document.hidden || flashing) return;
    const usual = document.title;
    let isOn = false;
    const turn = () => { isOn = !isOn; document.title = isOn ? `● ${title}` : usual; };
    turn();
    flashing = setInterval(turn, 1000);
    document.addEventListener("visibilitychange", () => { clearInterval(flashing); flashing = undefined; document.title = usual; }, { once: true });
  }

  function onDesktop({ title, url }, id) {
    if (!document.hidden || !("Notification" in window) || Notification.permission !== "granted") return;
    const shown = new Notification(title, { tag: `continuo-${id}`, icon: "/static/favicon.svg" });
    shown.addEventListener("click", () => { window.focus(); if (url) location.assign(url); shown.close(); });
  }

  function ring() {
    const fresh = [...document.querySelectorAll("#bell [data-notice]")].sort((a, b) => a.dataset.notice - b.dataset.notice);
    const rung = lastRung();
    const news = fresh.filter((mark) => Number(mark.dataset.notice) > rung);
    const newest = news[news.length - 1];
    if (!newest) return;
    flash(newest.dataset.title); // every hidden tab, before another one claims the sound
    if (!claim(Number(newest.dataset.notice))) return;
    const isRead = (mark) => !document.hidden && mark.dataset.url && mark.dataset.url === location.pathname;
    const loud = news.filter((mark) => !isRead(mark));
    if (loud.some((mark) => mark.hasAttribute("data-sound"))) play();
    loud.filter((mark) => mark.hasAttribute("data-desktop")).forEach((mark) => onDesktop(mark.dataset, mark.dataset.notice));
  }
  const ringOnce = () => (navigator.locks ? navigator.locks.request("continuo-notices", ring) : ring());

  function fill() {
    const open = bell();
    if (open?.open) htmx.ajax("GET", open.dataset.panelUrl, { source: open, target: "#notices", swap: "outerHTML", push: "false" });
  }
  document.addEventListener("toggle", (event) => { if (event.target.matches?.("[data-bell]")) fill(); }, true);
  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx?.target?.id === "bell" || !event.detail.ctx) { ringOnce(); fill(); }
  });
  ringOnce();

  const box = document.querySelector("[data-desktop-permission]");
  function tell() {
    const state = "Notification" in window ? Notification.permission : "none";
    box.querySelector("[data-allow-desktop]").hidden = state !== "default";
    box.querySelector("[data-said]").textContent = { granted: box.dataset.textGranted, denied: box.dataset.textDenied, none: box.dataset.textNone }[state] || "";
  }
  if (box) {
    tell();
    box.querySelector("[data-allow-desktop]").addEventListener("click", async () => { await Notification.requestPermission(); tell(); });
    box.querySelector("[data-try-sound]").addEventListener("click", play);
  }
})();
