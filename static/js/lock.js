/* The idle lock. Whoever reads or types stays signed in; an unattended screen is hidden and asks for the password in place,
   so that nothing that was being written is lost. Tabs of one browser share the time of the last activity. */
(() => {
  const idle = Number(document.body.dataset.idleSeconds || 0) * 1000;
  if (!idle) return;
  const WARN = Math.min(60_000, idle / 3), TELL = Math.min(60_000, idle / 3);
  const now = () => Date.now();
  const tabs = new BroadcastChannel("continuo-active");
  let told = now(), last = now(), spread = 0, asking = false;
  tabs.onmessage = (event) => { last = Math.max(last, Number(event.data) || 0); };

  function mark() {
    last = now();
    if (last - spread < 1000) return;
    spread = last;
    tabs.postMessage(last);
  }

  const warning = () => document.querySelector("[data-toast=lock-warning]");
  const isLocked = () => document.body.hasAttribute("data-locked");

  function active() {
    if (isLocked()) return;
    mark();
    warning()?.remove();
    if (now() - told < TELL) return;
    told = now();
    fetch(document.body.dataset.stayUrl, { redirect: "manual" }).then((answer) => { if (answer.status === 423) lock(); }).catch(() => {});
  }

  async function show(options) {
    const answer = await fetch(document.body.dataset.lockUrl, { headers: { "X-Piece": "1" }, redirect: "manual", ...options });
    if (answer.type === "opaqueredirect") { location.assign(document.body.dataset.loginUrl); return; }
    if (answer.status === 204) { open(); return; }
    let dialog = document.getElementById("lock");
    if (!dialog) {
      document.querySelectorAll("dialog[open]").forEach((other) => { if (other.id !== "lock") other.dataset.under = ""; });
      dialog = document.createElement("dialog");
      dialog.id = "lock"; dialog.className = "dialog dialog--sm lock";
      dialog.setAttribute("aria-labelledby", "lock-title");
      dialog.addEventListener("cancel", (event) => event.preventDefault());
      document.body.append(dialog);
      dialog.showModal();
    }
    dialog.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
    dialog.querySelector("[name=password]")?.focus();
  }

  function lock() {
    if (isLocked() || asking) return;
    asking = true;
    document.body.setAttribute("data-locked", "");
    warning()?.remove();
    show().catch(() => {}).finally(() => { asking = false; });
  }

  function open() {
    document.body.removeAttribute("data-locked");
    document.getElementById("lock")?.close();
    document.getElementById("lock")?.remove();
    told = now();
    mark();
  }

  function look() {
    if (isLocked()) { if (!document.getElementById("lock") && !asking) show().catch(() => {}); return; }
    const quiet = now() - last;
    if (quiet >= idle) lock();
    else if (quiet >= idle - WARN && !warning()) continuo.toast({ id: "lock-warning", sticky: true, text: document.body.dataset.textLocking });
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-lock-form]") || !event.target.closest("#lock")) return;
    event.preventDefault();
    show({ method: "POST", body: new FormData(event.target) }).catch(() => {});
  });
  document.addEventListener("htmx:response:error", (event) => { if (event.detail.ctx.response.status === 423) lock(); });
  for (const name of ["pointerdown", "keydown", "wheel", "touchstart"]) document.addEventListener(name, active, { passive: true, capture: true });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  mark();
  setInterval(look, Math.min(5_000, idle / 4));
})();
