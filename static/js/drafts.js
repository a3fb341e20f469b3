/* What is typed is never lost: it outlives every swap in memory, and the server keeps it a moment later
   (1.5 s after the last key, when the box loses the focus, when the page hides). The server's word is the newer one only
   where nothing unsaved is here. A form names its place by [data-draft-url]; its round tells which texts have left. */
(() => {
  const WAIT = 1500, RETRY = 5000, SEEN_AFTER = 1000, KEEPALIVE_LIMIT = 60000;
  const kept = new Map(); // conversation -> {text, mode, version, saved, url, token, round, seen, timer, flight, problem}
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("continuo-drafts") : null;
  const forms = () => [...document.querySelectorAll("form[data-composer][data-draft-key]")];
  const areaOf = (form) => form.querySelector("textarea[data-draft]");
  const secret = (form) => form.querySelector("[name=sensitive]"); // a ! after the mode: sensitive
  const modeOf = (form) => (form.querySelector("[name=mode]:checked")?.value || "note") + (secret(form)?.checked ? "!" : "");
  const isDirty = (state) => state && state.version > state.saved;
  const formOf = (key) => forms().find((form) => form.dataset.draftKey === key);

  function learn(form) { // what the server says of this box now
    const key = form.dataset.draftKey, round = form.querySelector("[data-draft-url]");
    if (!round) return null;
    const state = kept.get(key) || { text: areaOf(form).value, mode: modeOf(form), version: 0, saved: 0 };
    Object.assign(state, { url: round.dataset.draftUrl, round: round.value, token: form.querySelector("[name=csrfmiddlewaretoken]")?.value });
    state.seen = form.querySelector("[name=seen_message_id]")?.value || "0";
    kept.set(key, state);
    return state;
  }

  function say(key, name) {
    const out = formOf(key)?.querySelector("[data-draft-state]");
    const words = name ? out?.dataset[`text${name}`] : "";
    if (out && out.textContent !== words) out.textContent = words;
  }

  async function save(key, isLeaving) {
    const state = kept.get(key);
    clearTimeout(state?.timer);
    if (!isDirty(state) || (state.flight && !isLeaving)) return state?.flight;
    const { version, text } = state;
    const body = new URLSearchParams({ csrfmiddlewaretoken: state.token, mode: state.mode, text, seen_message_id: state.seen, draft_round: state.round });
    const request = fetch(state.url, { method: "POST", body, headers: { "X-Requested-With": "fetch" }, keepalive: isLeaving && text.length < KEEPALIVE_LIMIT / 4 });
    state.flight = request.then((answer) => answered(key, state, version, answer), () => failed(key, state)).finally(() => { state.flight = null; });
    await state.flight;
    if (isDirty(state) && kept.get(key) === state) later(key, state.problem ? RETRY : WAIT);
  }

  function answered(key, state, version, answer) {
    if (kept.get(key) !== state) return;
    if (answer.status === 409) { // left by this very box, or on its way from it: no other window had a hand in it
      if (version > state.saved && state.isSending === undefined) stale(key, state);
      return;
    }
    if (answer.status === 404) { state.saved = state.version; state.isLost = true; say(key, "Gone"); return; }
    if (!answer.ok || answer.redirected) { failed(key, state); return; }
    state.saved = Math.max(state.saved, version);
    state.problem = false;
    say(key, state.text.trim() ? "Saved" : "");
    channel?.postMessage({ key, text: state.text, mode: state.mode });
  }

  function failed(key, state) { state.problem = true; say(key, "Failed"); }

  // The text left by another window: the box learns the new round, then what is in it is kept as a new draft.
  function stale(key, state) {
    state.problem = true;
    say(key, "Sent");
    const pane = formOf(key)?.closest("[data-refetch-url]");
    if (pane) htmx.ajax("GET", pane.dataset.refetchUrl, { source: pane, target: pane, swap: "outerMorph", quiet: true, push: "false" });
  }

  function later(key, delay = WAIT) {
    const state = kept.get(key);
    clearTimeout(state.timer);
    state.timer = setTimeout(() => save(key), delay);
  }

  function typed(form) {
    const state = learn(form);
    if (!state) return;
    Object.assign(state, { text: areaOf(form).value, mode: modeOf(form), version: state.version + 1 });
    later(form.dataset.draftKey);
  }

  const setMode = (form, mode) => {
    const way = mode.replace("!", ""), radio = form.querySelector(`[name=mode][value="${CSS.escape(way)}"]:not(:disabled)`);
    if (radio) radio.checked = true;
    if (secret(form)) secret(form).checked = way !== mode;
  };

  function restore() {
    forms().forEach((form) => {
      const area = areaOf(form), before = kept.get(form.dataset.draftKey);
      if (before && !isDirty(before) && !before.isSending) Object.assign(before, { text: area.value, mode: modeOf(form) });
      const state = learn(form);
      if (!state) return;
      if (isDirty(state)) {
        if (area.value !== state.text) area.value = state.text;
        setMode(form, state.mode);
        if (state.problem) later(form.dataset.draftKey, 0);
      }
      area.dispatchEvent(new CustomEvent("restored", { bubbles: true }));
      watch(form);
    });
    kept.forEach((state, key) => { if (isDirty(state) && !state.isSending && !formOf(key)) rescue(key); });
  }

  // The box went away under the writer's hands (a colleague took it, it was closed): the last words go with the others.
  async function rescue(key) {
    await save(key, true);
    const pane = document.getElementById(`talk-${key}`);
    if (pane && !isDirty(kept.get(key))) continuo.refetch?.(pane);
  }

  // A message that comes while somebody looks at it counts as read; one that was there before they came back does not.
  function watch(form) {
    const seen = form.querySelector("[name=seen_message_id]"), newest = form.querySelector("[name=draft_round]")?.dataset.newest;
    const key = form.dataset.draftKey;
    if (!newest || !seen) return;
    if (watch.key !== key) { watch.key = key; watch.read = undefined; }
    if (seen.value === newest) { watch.read = newest; return; }
    if (document.visibilityState !== "visible" || !document.hasFocus()) watch.read = undefined;
    if (watch.read !== seen.value) return;
    clearTimeout(watch.timer);
    watch.timer = setTimeout(() => {
      const now = formOf(key), items = document.querySelectorAll(`[data-newest-last="${CSS.escape(key)}"] .item:not(.item--out)`);
      const box = items[items.length - 1]?.getBoundingClientRect();
      const isInView = box && box.top < innerHeight && box.bottom > 0;
      if (now && isInView && document.visibilityState === "visible") acknowledge(now);
    }, SEEN_AFTER);
  }

  function acknowledge(form) {
    const seen = form.querySelector("[name=seen_message_id]");
    seen.value = watch.read = form.querySelector("[name=draft_round]").dataset.newest;
    form.querySelector("[data-draft-notice]")?.remove();
    const state = learn(form);
    if (state.text.trim()) { state.version += 1; later(form.dataset.draftKey, 0); }
  }

  // Another window of this browser wrote; here nothing is unsaved.
  channel?.addEventListener("message", ({ data }) => {
    const form = formOf(data.key), state = kept.get(data.key);
    if (!form || isDirty(state) || areaOf(form).value === data.text) return;
    areaOf(form).value = data.text;
    setMode(form, data.mode);
    if (state) Object.assign(state, { text: data.text, mode: data.mode });
  });

  // Another machine may have written while this page was hidden.
  async function look() {
    for (const form of forms()) {
      const key = form.dataset.draftKey, state = learn(form);
      if (!state || isDirty(state)) continue;
      try {
        const answer = await fetch(state.url, { headers: { "X-Background": "1" } });
        if (!answer.ok || answer.redirected) continue;
        const { text, mode, round } = await answer.json();
        if (round !== state.round || isDirty(state) || text === areaOf(form).value) continue;
        areaOf(form).value = text;
        if (mode) setMode(form, mode);
        Object.assign(state, { text, mode: mode || state.mode });
        say(key, text ? "Saved" : "");
      } catch { /* the next look tries again */ }
    }
  }

  const all = (isLeaving) => [...kept.keys()].forEach((key) => save(key, isLeaving));
  const composer = (target) => target.closest?.("form[data-composer][data-draft-key]");
  document.addEventListener("input", (event) => { if (event.target.matches("[data-composer] textarea[data-draft]")) typed(composer(event.target)); });
  document.addEventListener("change", (event) => {
    const form = event.target.matches("[data-composer] [name=mode], [data-composer] [name=sensitive]") && composer(event.target);
    if (form && areaOf(form).value.trim()) typed(form);
  });
  const isSender = (target, form) => target?.type === "submit" && target.form === form; // its click takes the text along
  document.addEventListener("focusout", (event) => { const form = event.target.matches?.("textarea[data-draft]") && composer(event.target); if (form && !isSender(event.relatedTarget, form)) save(form.dataset.draftKey); });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-acknowledge]");
    if (!button) return;
    event.preventDefault();
    acknowledge(composer(button));
    areaOf(forms()[0])?.focus();
  });
  document.addEventListener("visibilitychange", () => (document.visibilityState === "hidden" ? all(true) : look()));
  addEventListener("pagehide", () => all(true));
  addEventListener("online", () => all());
  addEventListener("beforeunload", (event) => {
    if ([...kept.values()].some((state) => isDirty(state) && state.problem && state.text.trim())) event.preventDefault();
  });

  // What is sent is no draft any more; what was typed while it was on its way stays.
  const sending = (event) => { const form = event.detail.ctx.sourceElement?.closest?.("form[data-composer][data-draft-key]"); return form && event.detail.ctx.request.method !== "GET" ? form : null; };
  document.addEventListener("htmx:before:request", (event) => {
    const form = sending(event), state = form && learn(form);
    if (!state) return;
    clearTimeout(state.timer);
    state.isSending = areaOf(form).value;
  });
  document.addEventListener("htmx:after:request", (event) => {
    const form = sending(event), state = form && kept.get(form.dataset.draftKey);
    if (!state) return;
    const { isSending: sent } = state;
    delete state.isSending;
    const { response } = event.detail.ctx;
    if (response.status >= 400 || response.headers.get("X-Composer") === "keep") { if (isDirty(state)) later(form.dataset.draftKey); return; }
    const area = areaOf(formOf(form.dataset.draftKey) || form);
    const rest = area.value === sent ? "" : area.value.startsWith(sent) ? area.value.slice(sent.length).trimStart() : area.value;
    area.value = rest;
    Object.assign(state, { text: rest, saved: state.version + (rest ? 0 : 1), version: state.version + 1 });
    say(form.dataset.draftKey, "");
  });
  document.addEventListener("htmx:after:swap", restore);
  window.continuo = Object.assign(window.continuo || {}, { keepDrafts: () => Promise.all([...kept.keys()].map((key) => save(key))) });
  restore();
})();
