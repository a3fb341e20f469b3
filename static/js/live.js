/* The socket only says "interaction.42 changed, sequence 7"; what it looks like now comes from the ordinary page view.
   <section data-live="interaction.42:6" data-refetch-url="/inbox/42/thread/">: topics with the sequence that is drawn.
   Lost hints do no harm: on connect and every 30 s the server names the present sequences, and what is older is fetched. */
(() => {
  const POLL = 30000, COALESCE = 120, HOLD = 1500;
  const url = document.body.dataset.liveUrl;
  const pending = new Map(); // element id -> timer
  let lastData = Date.now(), touched = 0, chipTimer, toastTimer, socket;

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
  const isHeld = (element) => element.hasAttribute("data-hold") && Date.now() - touched < HOLD;

  async function refetch(id) {
    pending.delete(id);
    const element = document.getElementById(id);
    if (!element) return;
    if (isHeld(element)) return schedule(element, HOLD);
    try {
      await htmx.ajax("GET", element.dataset.refetchUrl, { source: element, target: element, swap: "outerMorph", quiet: true, push: "false" });
      lastData = Date.now();
    } catch { /* the next hint or poll tries again */ }
  }

  function schedule(element, delay = COALESCE) {
    if (!element.id || pending.has(element.id)) return;
    pending.set(element.id, setTimeout(() => refetch(element.id), delay));
  }

  function changed({ topic, seq }) {
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
    }), 15000);
  }

  function connect() {
    socket = new ReconnectingWebSocket(url, [], {
      minReconnectionDelay: 500 + Math.random() * 2500, maxReconnectionDelay: 8000, connectionTimeout: 5000, maxEnqueuedMessages: 0,
    });
    socket.addEventListener("open", () => { online(true); subscribe(true); });
    socket.addEventListener("close", (event) => {
      online(false);
      if (event.code === 4401) socket.close(); // signed out: the next request shows the sign-in page
    });
    socket.addEventListener("message", (event) => {
      lastData = Date.now();
      const message = JSON.parse(event.data);
      if (message.type === "changed") changed(message);
      if (message.type === "subscribed") Object.entries(message.topics).forEach(([topic, seq]) => changed({ topic, seq }));
    });
  }

  ["pointermove", "keydown"].forEach((name) => document.addEventListener(name, (event) => {
    if (event.target.closest?.("[data-hold]")) touched = Date.now();
  }, { passive: true }));
  document.addEventListener("htmx:after:swap", () => subscribe(false));
  document.addEventListener("ended", (event) => { const element = event.target.closest("[data-live]"); if (element) schedule(element); });
  if (!live().length) return;
  if (url) connect();
  setInterval(() => { // with a socket the server names what is newer; without one everything is fetched
    if (socket?.readyState === 1) subscribe(true);
    else live().forEach((element) => schedule(element));
  }, POLL);
})();
