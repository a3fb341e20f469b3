/* The device of people whose calls are Twilio's. One window of a browser holds it (a lock says which); the others show what
   it does and pass on what is clicked. A leg that the server rings because its person accepted is answered at once; one that
   asks a colleague waits for a click. While somebody talks, links open beside the page, and after a reload the device goes
   back into the call. The token is fetched when it is needed and never kept. */
(() => {
  const host = document.getElementById("device");
  const LOCK = "continuo-phone", RENEW_MS = 60000, LONGEST = 30000;
  const wire = new BroadcastChannel(LOCK);
  const SHARED = ["state", "trouble", "isMuted", "isPoor", "isSilent", "isLost", "isAsked"];
  let sdk, leg, asking, isHolder = false, pause = 1000, current = null, mine = "", tries = 3, isGoingBack = false;

  const shared = () => Object.fromEntries(SHARED.map((name) => [name, device[name]]));
  function told(change = {}) {
    Object.assign(device, change);
    document.dispatchEvent(new CustomEvent("device"));
    if (isHolder) wire.postMessage({ is: shared() });
  }
  const pass = (name, ...args) => { if (!isHolder) wire.postMessage({ do: name, args }); return isHolder; };

  async function token() {
    const csrf = host.querySelector("[name=csrfmiddlewaretoken]").value;
    const headers = { "X-CSRFToken": csrf, "X-Background": "1" }; // an unattended page must not keep its session alive
    const answer = await fetch(host.dataset.tokenUrl, { method: "POST", headers });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    return (await answer.json()).token;
  }

  const loaded = () => window.Twilio ? Promise.resolve() : new Promise((resolve, reject) => {
    const script = document.createElement("script");
    Object.assign(script, { src: host.dataset.sdkSrc, onload: resolve, onerror: reject });
    document.head.append(script);
  });

  async function open() {
    try {
      await loaded();
      const now = await token();
      if (sdk) sdk.updateToken(now); else make(now);
      await sdk.register();
    } catch { again(); }
  }

  function again() { // the network, a locked screen or the provider: asked less and less often
    if (!leg) told({ state: "off" });
    setTimeout(open, pause);
    pause = Math.min(pause * 2, LONGEST);
  }

  function make(now) {
    sdk = new Twilio.Device(now, { tokenRefreshMs: RENEW_MS, closeProtection: false, logLevel: "silent", appName: "continuo" });
    sdk.on("registered", () => { pause = 1000; told({ state: leg ? "talking" : "ready" }); comeBack(); });
    sdk.on("unregistered", () => { if (!leg) told({ state: "off" }); });
    sdk.on("tokenWillExpire", async () => { try { sdk.updateToken(await token()); } catch { again(); } });
    sdk.on("error", (error) => { if ([20101, 20104, 31202, 31204, 31205].includes(error.code)) again(); });
    sdk.on("incoming", (call) => {
      const of = call.customParameters.get("party");
      if (of !== "consulted") { take(call); call.accept(); return; } // its person asked for it
      asking = call;
      ["cancel", "reject", "disconnect"].forEach((what) => call.on(what, () => { if (asking === call) { asking = undefined; told({ isAsked: false }); } }));
      told({ isAsked: true });
    });
  }

  function take(call) {
    leg = call;
    asking = undefined;
    mine = window.name = `call-${call.customParameters?.get("call") || current?.id || ""}`; // tells a reload from a second computer
    call.on("disconnect", () => gone(call));
    call.on("cancel", () => gone(call));
    call.on("error", (error) => { if ([31208, 31401].includes(error.code)) told({ trouble: "blocked" }); if ([31402].includes(error.code)) told({ trouble: "none" }); });
    call.on("mute", (isMuted) => told({ isMuted }));
    call.on("reconnecting", () => told({ isLost: true }));
    call.on("reconnected", () => told({ isLost: false }));
    call.on("warning", (name) => told(name === "constant-audio-input-level" ? { isSilent: true } : { isPoor: true }));
    call.on("warning-cleared", (name) => told(name === "constant-audio-input-level" ? { isSilent: false } : { isPoor: false }));
    told({ state: "talking", isAsked: false, isLost: false });
  }

  function gone(call) {
    if (leg !== call) return;
    leg = undefined;
    if (tries-- > 0) setTimeout(comeBack, 1500); // the network broke: a call that is over is drawn away by then
    told({ state: "ready", isMuted: false, isPoor: false, isSilent: false, isLost: false });
  }

  const isTalking = (call) => call?.isMine && (call.status === "connected" || call.status === "held");
  function comeBack() { // the page was loaded anew in the middle of a call that this very window held
    if (isHolder && sdk?.state === "registered" && !leg && tries > 0 && isTalking(current) && window.name === `call-${current.id}`) device.rejoin(current.id);
  }

  const device = {
    kind: "twilio", state: "starting", trouble: "", isMuted: false, isPoor: false, isSilent: false, isLost: false, isAsked: false, ringer: "",
    start() {
      wire.addEventListener("message", ({ data }) => {
        if (data.is && !isHolder) { Object.assign(device, data.is); document.dispatchEvent(new CustomEvent("device")); }
        if (data.do && isHolder) device[data.do](...data.args);
        if (data.hello && isHolder) wire.postMessage({ is: shared() });
      });
      told({ state: "elsewhere" });
      wire.postMessage({ hello: true });
      navigator.locks.request(LOCK, () => { isHolder = true; told({ state: "starting" }); open(); return new Promise(() => {}); });
    },
    async prepare() {
      let trouble = "";
      try {
        (await navigator.mediaDevices.getUserMedia({ audio: true })).getTracks().forEach((track) => track.stop());
      } catch (error) { trouble = error.name === "NotFoundError" ? "none" : "blocked"; }
      told({ trouble });
      return trouble;
    },
    answer() { if (pass("answer") && asking) { const call = asking; take(call); call.accept(); } },
    decline() { if (pass("decline")) asking?.reject(); },
    mute(is) { if (pass("mute", is)) leg?.mute(is); },
    press(key) { if (pass("press", key)) leg?.sendDigits(key); },
    end() { if (window.name === mine) window.name = ""; if (pass("end")) leg?.disconnect(); },
    async rejoin(id) {
      isGoingBack = true;
      told({ isLost: true });
      try { take(await sdk.connect({ params: { call: String(id) } })); } catch { told({ isLost: false }); }
      isGoingBack = false;
    },
    follow(call) {
      if (call?.id !== current?.id) tries = 3;
      current = call;
      if (!isGoingBack) comeBack();
    },
    async list() {
      const all = await navigator.mediaDevices?.enumerateDevices().catch(() => []) || [];
      const of = (kind, chosen) => ({ chosen, all: all.filter((one) => one.kind === kind && one.deviceId).map((one) => ({ id: one.deviceId, label: one.label || one.deviceId })) });
      const speaker = sdk?.audio?.isOutputSelectionSupported ? [...sdk.audio.speakerDevices.get()][0]?.deviceId : "";
      const outputs = (chosen) => sdk?.audio?.isOutputSelectionSupported ? of("audiooutput", chosen) : { all: [] };
      return { microphone: of("audioinput", sdk?.audio?.inputDevice?.deviceId || ""), speaker: outputs(speaker), ringer: outputs(device.ringer) };
    },
    choose(kind, id) {
      if (kind === "ringer") device.ringer = id;
      if (!pass("choose", kind, id) || !sdk?.audio) return;
      const done = kind === "microphone" ? sdk.audio.setInputDevice(id) : kind === "speaker" ? sdk.audio.speakerDevices.set(id) : sdk.audio.ringtoneDevices.set(id);
      done?.catch(() => told({ trouble: "blocked" }));
    },
  };

  // The sound lives in this page: what would leave it opens beside it.
  document.addEventListener("click", (event) => {
    const link = leg && event.target.closest("a[href]:not([hx-get]):not([target])");
    if (link && link.origin === location.origin && !link.getAttribute("href").startsWith("#")) Object.assign(link, { target: "_blank", rel: "noopener" });
  }, true);
  window.addEventListener("beforeunload", (event) => { if (leg) event.preventDefault(); });
  window.addEventListener("pagehide", () => sdk?.destroy());
  window.continuo.device = device;
})();
