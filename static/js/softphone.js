/* The telephone's browser side. The server rings, connects and ends; a device only carries sound, and two kinds of
   device stand behind one interface: { answer(), mute(isMuted), end() }. Without a real one the silent device is used:
   then the simulator plays the other side. What is on the line after a reload is drawn by the server again. */
(() => {
  const silent = { answer() {}, mute() {}, end() {} };
  const device = () => window.continuo.device || silent;
  let ringing = "", timer;

  const pad = (number) => String(number).padStart(2, "0");
  function tick() {
    document.querySelectorAll("[data-elapsed]").forEach((element) => {
      const now = window.continuo.now ? window.continuo.now() : Date.now();
      const seconds = Math.max(0, Math.floor(now / 1000 - Number(element.dataset.elapsed)));
      element.textContent = `${Math.floor(seconds / 60)}:${pad(seconds % 60)}`;
    });
  }

  function look() {
    const toast = document.querySelector("[data-ringing]");
    const now = toast?.dataset.ringing || "";
    if (now && now !== ringing) ring();
    if (!now && ringing) document.title = document.title.replace(/^☎ /, "");
    ringing = now;
    const isBusy = Boolean(document.querySelector("[data-elapsed]"));
    if (isBusy && !timer) { tick(); timer = setInterval(tick, 1000); }
    if (!isBusy && timer) { clearInterval(timer); timer = undefined; device().end(); }
  }

  function ring() {
    if (!document.title.startsWith("☎ ")) document.title = `☎ ${document.title}`;
    const url = document.querySelector("[data-sound-url]")?.dataset.soundUrl;
    if (url) new Audio(url).play().catch(() => {}); // a browser may want a click first; the toast is there all the same
  }

  document.addEventListener("keydown", (event) => {
    if (!event.altKey || event.key.toLowerCase() !== "a") return;
    const button = document.querySelector("[data-accept]");
    if (button) { event.preventDefault(); button.click(); }
  });
  document.addEventListener("click", (event) => {
    const mute = event.target.closest("[data-mute]");
    if (mute) {
      const isMuted = mute.getAttribute("aria-pressed") !== "true";
      mute.setAttribute("aria-pressed", String(isMuted));
      device().mute(isMuted);
    }
    if (event.target.closest("[data-accept]")) device().answer();
  });
  new MutationObserver(look).observe(document.querySelector(".topbar__mid") || document.body, { childList: true, subtree: true });
  look();
})();
