/* The telephone's browser side. The server rings, connects and ends; a device only carries sound. Two kinds of device stand
   behind one interface (device-twilio.js, device-simulated.js), loaded only by pages of people with a telephone:
   { kind, state, isMuted, isPoor, isSilent, isAsked, start(), prepare(), answer(), decline(), mute(is), press(key), end(),
     rejoin(call), list(), choose(kind, id), follow(call) }; a change is told by the event `device` on the document.
   What is on the line after a reload is drawn by the server again, and what the device knows is drawn over it. */
(() => {
  const silent = { kind: "", state: "", mute() {}, press() {}, end() {}, answer() {}, decline() {}, prepare: async () => "", follow() {} };
  const device = () => window.continuo.device || silent;
  const host = () => document.getElementById("device");
  const text = (name) => host()?.dataset[`text${name[0].toUpperCase()}${name.slice(1)}`] || "";
  const bar = () => document.querySelector(".callbar[data-call]");
  let ringing = "", timer, pressed = "", isAllowed = false, lastCall = "";

  const pad = (number) => String(number).padStart(2, "0");
  const put = (element, words) => { if (element && element.textContent !== words) element.textContent = words; };
  const show = (element, is) => { if (element && element.hidden === is) element.hidden = !is; };

  function tick() {
    document.querySelectorAll("[data-elapsed]").forEach((element) => {
      const now = window.continuo.now ? window.continuo.now() : Date.now();
      const seconds = Math.max(0, Math.floor(now / 1000 - Number(element.dataset.elapsed)));
      put(element, `${Math.floor(seconds / 60)}:${pad(seconds % 60)}`);
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
    if (!isBusy && timer) { clearInterval(timer); timer = undefined; }
    const found = bar()?.dataset.call || "";
    if (!found && lastCall) { device().end(); pressed = ""; }
    lastCall = found;
    device().follow(bar() ? { id: found, status: bar().dataset.status, isMine: !("isConsulted" in bar().dataset) } : null);
    draw();
  }

  function draw() {
    const now = device(), found = bar();
    if (host()) {
      const state = now.trouble || now.state || "starting";
      if (host().dataset.state !== state) host().dataset.state = state;
      host().querySelectorAll("[data-device-says],[data-device-status]").forEach((element) => put(element, text(state)));
    }
    if (!found) return;
    found.querySelectorAll("[data-needs-device]").forEach((element) => show(element, Boolean(now.kind)));
    const mute = found.querySelector("[data-mute]");
    if (mute && mute.getAttribute("aria-pressed") !== String(Boolean(now.isMuted))) mute.setAttribute("aria-pressed", String(Boolean(now.isMuted)));
    show(found.querySelector("[data-asks]"), Boolean(now.isAsked));
    put(found.querySelector("[data-pressed]"), pressed);
    const note = now.trouble ? text(now.trouble) : now.isLost ? text("lost") : now.isPoor ? text("poor") : now.isSilent ? text("silent") : "";
    put(found.querySelector("[data-line-note]"), note);
    show(found.querySelector("[data-line-note]"), Boolean(note));
  }

  function ring() {
    if (!document.title.startsWith("☎ ")) document.title = `☎ ${document.title}`;
    const url = document.querySelector("[data-sound-url]")?.dataset.soundUrl;
    if (!url) return;
    const sound = new Audio(url);
    const to = device().ringer && sound.setSinkId ? sound.setSinkId(device().ringer) : Promise.resolve();
    to.catch(() => {}).then(() => sound.play()).catch(() => {}); // a browser may want a click first; the toast is there all the same
  }

  function press(key) {
    pressed = (pressed + key).slice(-24);
    device().press(key);
    draw();
  }

  /* Nobody is connected to somebody they cannot speak to: the microphone is asked for before the server is. */
  async function askMicrophone(button) {
    const why = await device().prepare();
    if (why) { continuo.toast({ id: "microphone", kind: "danger", text: text(why) }); draw(); return; }
    isAllowed = true;
    button.click();
    isAllowed = false;
  }

  async function fill() {
    const found = await device().list?.();
    host()?.querySelectorAll("[data-choose]").forEach((select) => {
      const { all = [], chosen = "" } = found?.[select.dataset.choose] || {};
      select.replaceChildren(...all.map(({ id, label }) => new Option(label, id, id === chosen, id === chosen)));
      select.closest("label").hidden = !all.length;
    });
  }

  document.addEventListener("keydown", (event) => {
    const keypad = document.querySelector(".keypad[open]");
    if (keypad && /^[0-9*#]$/.test(event.key) && !event.target.matches("input,textarea,select,[contenteditable]")) {
      event.preventDefault();
      press(event.key);
    }
    if (!event.altKey || event.key.toLowerCase() !== "a") return;
    const button = document.querySelector("[data-accept]");
    if (button) { event.preventDefault(); button.click(); }
  });
  document.addEventListener("click", (event) => {
    const accept = event.target.closest("[data-accept],[data-join],[data-calls] [data-send]");
    if (!accept || isAllowed || !device().kind) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    askMicrophone(accept);
  }, true);
  document.addEventListener("click", (event) => {
    const at = (what) => event.target.closest(what);
    if (at("[data-mute]")) device().mute(at("[data-mute]").getAttribute("aria-pressed") !== "true");
    if (at("[data-accept],[data-join]")) device().answer();
    if (at("[data-refuse]")) device().decline();
    if (at("[data-press]")) press(at("[data-press]").dataset.press);
    if (at("[data-device-check]")) device().prepare().then(fill);
    if (at("#device > summary")) fill();
  });
  document.addEventListener("change", (event) => {
    const kind = event.target.dataset?.choose;
    if (kind) device().choose(kind, event.target.value);
  });

  /* Who answered goes to the conversation without leaving the page, for the sound lives in it. */
  document.addEventListener("call-accepted", (event) => {
    const { url } = event.detail;
    const here = document.getElementById("workspace");
    if (here) htmx.ajax("GET", url, { source: here, target: here, swap: "outerMorph", push: url });
    else if (device().kind !== "twilio") location.assign(url);
    else continuo.toast({ id: "call", text: text("connected"), sticky: true, action: { label: text("open"), run: () => window.open(url, "_blank", "noopener") } });
  });
  document.addEventListener("device", draw);

  if (host()) {
    const script = document.createElement("script");
    script.src = host().dataset.deviceSrc;
    script.addEventListener("load", () => { device().start(); look(); });
    document.head.append(script);
  }
  new MutationObserver(look).observe(document.querySelector(".topbar__mid") || document.body, { childList: true, subtree: true });
  look();
})();
