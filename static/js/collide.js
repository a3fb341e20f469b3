/* Two people at one conversation see each other: the page says through its socket that it is here and whether somebody
   types (ids only); whoever is silent for 25 s is gone. Sending while a colleague writes asks once, in the bar. */
(() => {
  const BEAT = 10000, GONE_AFTER = 25000, WRITES_FOR = 8000, ASK_AGAIN = 20000;
  const others = new Map(); // topic -> Map(tab -> {user, is, at})
  let typedAt = 0, mode = "reply", told = "", topic = "", allowedUntil = 0, drawTimer;
  const bar = () => document.querySelector("[data-collide]");
  const state = () => (Date.now() - typedAt < WRITES_FOR ? mode : "viewing");

  function tell(isHello = false) {
    const here = document.visibilityState === "visible" ? bar()?.dataset.collide || "" : "";
    if (topic && topic !== here) { continuo.socketSend?.({ present: { topic, is: "gone" } }); others.delete(topic); told = ""; }
    const isNew = here && topic !== here;
    topic = here;
    if (!topic) return;
    const now = state();
    if (continuo.socketSend?.({ present: { topic, is: now, hello: isHello || isNew } })) told = now;
  }

  function present() {
    const found = new Map(), me = Number(bar()?.dataset.me), rank = { writing: 2, noting: 1, viewing: 0 };
    for (const [tab, one] of others.get(topic) || []) {
      if (Date.now() - one.at > GONE_AFTER) others.get(topic).delete(tab);
      else if (one.user !== me && !(rank[found.get(one.user)] >= rank[one.is])) found.set(one.user, one.is);
    }
    return found;
  }

  async function draw() {
    const here = bar();
    if (!here) return;
    const people = present(), names = { viewing: [], writing: [], noting: [] };
    [...people].forEach(([user, is]) => names[is].push(user));
    const key = Object.entries(names).map(([name, ids]) => `${name}=${ids.sort((a, b) => a - b).join(",")}`).join("&");
    here.querySelectorAll("[data-author]").forEach((draft) => {
      draft.querySelector("[data-words]").hidden = ["writing", "noting"].includes(people.get(Number(draft.dataset.author)));
    });
    const who = here.querySelector(".collide__who");
    if (!who || who.dataset.drawn === key) return;
    who.dataset.drawn = key;
    if (!people.size) { who.replaceChildren(); return; }
    try {
      await htmx.ajax("GET", `${here.dataset.collideUrl}?${key}`, { source: who, target: who, swap: "innerMorph", quiet: true, push: "false" });
    } catch { delete who.dataset.drawn; }
  }
  const redraw = () => { clearTimeout(drawTimer); drawTimer = setTimeout(draw, 100); };

  document.addEventListener("continuo:present", ({ detail }) => {
    if (!others.has(detail.topic)) others.set(detail.topic, new Map());
    const there = others.get(detail.topic);
    if (detail.is === "gone") there.delete(detail.tab);
    else there.set(detail.tab, { user: detail.user, is: detail.is, at: Date.now() });
    if (detail.hello && detail.topic === topic) setTimeout(() => tell(), Math.random() * 400);
    redraw();
  });

  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-composer] textarea[data-draft]")) return;
    typedAt = event.target.value ? Date.now() : 0;
    mode = event.target.form.querySelector("[name=mode]:checked")?.value === "note" ? "noting" : "writing";
    if (state() !== told) tell();
  });

  // ---- "Send anyway": once asked it stands until answered or sent; a button that goes away under a finger is worse ----
  function unask() { const ask = bar()?.querySelector("[data-ask]"); if (ask) ask.hidden = true; }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-composer]") || !bar() || Date.now() < allowedUntil) return;
    if (event.submitter?.hasAttribute("formaction") || form.querySelector("[name=mode]:checked")?.value === "note") return;
    if (![...present().values()].includes("writing")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const ask = bar().querySelector("[data-ask]"), who = bar().querySelector(".collide__who [data-sentence]");
    ask.querySelector("[data-ask-words]").textContent = who?.firstElementChild ? `${who.textContent.split(",")[0].trim()}.` : "";
    ask.hidden = false;
    ask.submitter = event.submitter;
    ask.querySelector("[data-ask-send]").focus();
  }, true);
  document.addEventListener("click", (event) => {
    const ask = event.target.closest("[data-ask]");
    if (!ask) return;
    const form = ask.closest(".dock").querySelector("form[data-composer]");
    ask.hidden = true;
    if (event.target.closest("[data-ask-send]")) {
      allowedUntil = Date.now() + ASK_AGAIN;
      form?.requestSubmit(ask.submitter || undefined);
    }
    form?.querySelector("textarea[data-draft]")?.focus();
  });

  document.addEventListener("htmx:after:request", (event) => { // sent: nobody waits for my words any more
    const { ctx } = event.detail;
    if (!ctx.sourceElement?.closest?.("form[data-composer]") || ctx.request.method === "GET" || ctx.response.status >= 400) return;
    typedAt = allowedUntil = 0;
    unask();
    tell();
  });
  document.addEventListener("htmx:after:swap", () => { if ((bar()?.dataset.collide || "") !== topic) tell(true); redraw(); });
  document.addEventListener("continuo:subscribed", () => tell(true));
  document.addEventListener("visibilitychange", () => tell(true));
  addEventListener("pagehide", () => topic && continuo.socketSend?.({ present: { topic, is: "gone" } }));
  setInterval(() => { tell(); redraw(); }, BEAT);
  setInterval(() => { if (told === "writing" || told === "noting") { if (state() !== told) tell(); } redraw(); }, 2000);
})();
