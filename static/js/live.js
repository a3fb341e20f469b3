/* The socket only says "interaction.42 changed, sequence 7"; what it looks like now comes from the ordinary page view.
   <section data-live="interaction.42:6" data-refetch-url="/inbox/42/thread/">: topics with the sequence that is drawn.
   Lost hints do no harm: on connect and every 30 s the server names the present sequences, and what is older is fetched.
   [data-pace] (ms) is the shortest time between two fetches of a part; the first after a quiet time goes at once, or after
   [data-calm] (ms) where a moment does not matter: what waits for a person's eyes goes first. Fifty pages hear a hint in
   the same moment, so such parts differ in when they are fetched: up to twice [data-calm], from 70 % of [data-pace]. */
(() => {
  const POLL = 30000, GATHER = 20, PACE = 150, PATIENCE = 25000, SIGNED_OUT = 4401, TOO_MANY = 4429;
  const url = document.body.dataset.liveUrl;
  const pending = new Map(), fetched = new Map(); // element id -> timer; element id -> {at, took} of the last fetch
  const latest = new Map(); // topic -> highest sequence heard of
  let lastData = Date.now(), chipTimer, toastTimer, socket, isCrowded = false, isLost = false;
  const isHidden = () => document.visibilityState === "hidden";

  const live = () => [...document.querySelectorAll("[data-live][data-refetch-url]")];
  const topics = (element) => element.dataset.live.split(" ").filter(Boolean).map((entry) => {
    const [topic, seq] = entry.split(":");
    return [topic, Number(seq || 0)];
  });
  // The oldest drawn sequence counts: the server must not believe that every part has the newest.
  const known = () => {
    const result = {};
    live().flatMap(topics).forEach(([topic, seq]) => { result[topic] = Math.min(seq, result[topic] ?? seq); });
    return result;
  };

  async function refetch(id) {
    const element = document.getElementById(id), begun = Date.now();
    if (!element) { pending.delete(id); return; }
    pending.set(id, null); // hints that come from now on may be newer than the answer
    try {
      if (!await continuo.fetchHeld?.(element)) {
        const answer = htmx.ajax("GET", element.dataset.refetchUrl, { source: element, target: element, swap: "outerMorph", quiet: true, push: "false" });
        await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
      }
      lastData = Date.now();
    } catch { /* the next hint or poll tries again */ }
    const hasNewer = pending.get(id) === "again";
    pending.delete(id);
    fetched.set(id, { at: Date.now(), took: Date.now() - begun });
    const now = document.getElementById(id);
    if (hasNewer && now && topics(now).some(([topic, seq]) => latest.get(topic) > seq)) schedule(now);
  }

  // A slow server is asked less often.
  function schedule(element) {
    if (!element?.id) return;
    if (pending.has(element.id)) { if (pending.get(element.id) === null) pending.set(element.id, "again"); return; }
    const last = fetched.get(element.id) || { at: 0, took: 0 };
    const calm = Number(element.dataset.calm || 0), spread = calm && Math.random();
    const pace = Math.max(Number(element.dataset.pace || PACE) * (1 - 0.3 * spread), 2 * last.took);
    const delay = Math.max(GATHER, calm * (1 + spread), last.at + pace - Date.now());
    pending.set(element.id, setTimeout(() => refetch(element.id), delay));
  }

  function changed({ topic, seq }) {
    if (seq !== undefined) latest.set(topic, Math.max(seq, latest.get(topic) || 0));
    live().forEach((element) => {
      const drawn = topics(element).find(([name]) => name === topic);
      if (drawn && (seq === undefined || seq > drawn[1])) schedule(element);
    });
  }

  let subscribed = "";
  function subscribe(isForced) {
    const wanted = JSON.stringify(known());
    const names = Object.keys(JSON.parse(wanted)).sort().join(" ");
    if (socket?.readyState !== 1 || (!isForced && names === subscribed)) return;
    const gone = subscribed.split(" ").filter((name) => name && !names.split(" ").includes(name));
    subscribed = names;
    if (gone.length) socket.send(JSON.stringify({ unsubscribe: gone }));
    socket.send(`{"subscribe":${wanted}}`);
  }

  function online(isUp) {
    if (!isUp && isLost) return; // one more try that failed: the time without news goes on
    isLost = !isUp;
    clearTimeout(chipTimer);
    clearTimeout(toastTimer);
    const chip = document.getElementById("live-state");
    if (isUp) {
      if (chip) chip.hidden = true;
      document.querySelector('[data-toast="connection"]')?.remove();
      return;
    }
    chipTimer = setTimeout(() => { if (chip) chip.hidden = false; }, 3000);
    toastTimer = setTimeout(() => continuo.toast({
      id: "connection", kind: "danger",
      text: document.body.dataset.textLost.replace("%s", new Date(lastData).toLocaleTimeString([], { timeStyle: "short" })),
      action: { label: document.body.dataset.textAgain, run: () => { isLost = false; wake(); } },
    }), 15000);
  }

  function crowded() {
    isCrowded = true;
    socket.close();
    online(true);
    if (!isHidden()) continuo.toast({ id: "crowded", text: document.body.dataset.textCrowded });
  }

  function connect() {
    // Everybody comes back after a restart: the first wait differs, later ones grow; a socket counts after 5 s.
    socket = new ReconnectingWebSocket(url, [], {
      minReconnectionDelay: 500 + Math.random() * 2500, maxReconnectionDelay: 8000, reconnectionDelayGrowFactor: 1.3 + Math.random() * 0.4,
      minUptime: 5000, connectionTimeout: 5000, maxEnqueuedMessages: 0,
    });
    socket.addEventListener("open", () => { online(true); subscribe(true); });
    socket.addEventListener("close", (event) => {
      if (event.code === TOO_MANY) { crowded(); return; }
      online(false);
      if (event.code === SIGNED_OUT) { socket.close(); live().forEach((element) => schedule(element)); } // which shows the sign-in page
    });
    socket.addEventListener("message", (event) => {
      lastData = Date.now();
      const message = JSON.parse(event.data);
      if (message.type === "changed") changed(message);
      if (message.type === "present") document.dispatchEvent(new CustomEvent("continuo:present", { detail: message }));
      if (message.type === "subscribed") {
        continuo.serverNow?.(message.now);
        Object.entries(message.topics).forEach(([topic, seq]) => changed({ topic, seq }));
        document.dispatchEvent(new CustomEvent("continuo:subscribed"));
      }
    });
  }

  window.continuo.refetch = schedule;
  window.continuo.socketSend = (message) => {
    if (socket?.readyState !== 1) return false;
    socket.send(JSON.stringify(message));
    return true;
  };

  function wake() {
    if (isHidden() || !live().length) return;
    if (socket?.readyState === 1) { subscribe(true); return; }
    if (url) { isCrowded = false; document.querySelector('[data-toast="crowded"]')?.remove(); socket.reconnect(); }
    live().forEach((element) => schedule(element));
  }

  document.addEventListener("htmx:after:swap", () => subscribe(false));
  document.addEventListener("ended", (event) => { const element = event.target.closest("[data-live]"); if (element) schedule(element); });
  document.addEventListener("visibilitychange", wake);
  addEventListener("focus", () => { if (isCrowded) wake(); });
  addEventListener("online", wake);
  addEventListener("pageshow", (event) => { if (event.persisted) wake(); });
  if (!live().length) return;
  if (url) connect();
  setInterval(() => { // with a socket the server names what is newer; without one everything is fetched, where somebody looks
    if (socket?.readyState === 1) subscribe(true);
    else if (!isHidden()) live().forEach((element) => schedule(element));
  }, POLL);
})();
