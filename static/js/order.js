/* A list that is in use ([data-hold] with the pointer or the focus in it) keeps its order: rows change where they stand,
   and a button says how many would move. What is new is told to screen readers, every 10 s at most. */
(() => {
  const REST = 400, TELL_EVERY = 10000;
  let isOver = false, isWaiting = false, restTimer, tellTimer, toldAt = 0, fresh = 0, seenUrl = "";
  let seen = new Set();
  const list = () => document.querySelector("[data-hold][data-refetch-url]");
  const hasFocus = (root) => document.hasFocus() && root.contains(document.activeElement);
  const isUsed = (root) => isOver || hasFocus(root);
  const rowsOf = (root) => [...root.querySelectorAll('li[id^="row-"]')];
  const fill = (element, n) => element.dataset[n === 1 ? "textOne" : "textMany"].replace("%s", n);

  // How many rows would stand elsewhere: all but the longest part that keeps its order, and those that come or go.
  function moves(before, after) {
    const place = new Map(after.map((id, index) => [id, index]));
    const ends = [];
    before.filter((id) => place.has(id)).forEach((id) => {
      const at = place.get(id), index = ends.findIndex((end) => end >= at);
      ends[index < 0 ? ends.length : index] = at;
    });
    return before.length - ends.length + after.filter((id) => !before.includes(id)).length;
  }

  const orderOf = (root) => [...root.querySelectorAll('.list__group, li[id^="row-"]')].map((one) => one.id || one.textContent.replace(/\d/g, "").trim());

  function patch(row, other) {
    const link = row.querySelector("[data-row]"), next = other.querySelector("[data-row]");
    if (!link || !next) return;
    link.toggleAttribute("data-unread", next.hasAttribute("data-unread"));
    link.replaceChildren(...document.importNode(next, true).childNodes);
  }

  async function fetchHeld(root) {
    if (!root.hasAttribute("data-hold") || !isUsed(root)) return false;
    const answer = await fetch(root.dataset.refetchUrl, { headers: { "HX-Request": "true", "HX-Target": root.id, "X-Background": "1" } });
    if (answer.redirected && new URL(answer.url).pathname === document.body.dataset.loginUrl) return false; // htmx shows it
    if (!answer.ok) throw new Error(String(answer.status));
    const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(root.id);
    const now = document.getElementById(root.id);
    if (!next || !now || now.dataset.refetchUrl !== root.dataset.refetchUrl) return false;
    const found = new Map(rowsOf(next).map((row) => [row.id, row]));
    rowsOf(now).forEach((row) => {
      row.toggleAttribute("data-gone", !found.has(row.id));
      if (found.has(row.id)) patch(row, found.get(row.id));
    });
    const count = [now, next].map((one) => one.querySelector(".list__head .num"));
    if (count[0] && count[1]) count[0].textContent = count[1].textContent;
    now.dataset.live = next.dataset.live;
    tellNew([...found.keys()]);
    offer(now, moves(orderOf(now), orderOf(next)));
    document.dispatchEvent(new CustomEvent("continuo:patched"));
    return true;
  }

  function offer(root, n) {
    const button = root.querySelector("[data-refresh-order]");
    isWaiting = n > 0;
    if (!button) return;
    button.hidden = !n;
    if (n) button.querySelector("[data-words]").textContent = fill(button, n);
    if (n && !isUsed(root)) rest();
  }

  async function apply() {
    const root = list();
    clearTimeout(restTimer);
    if (!root) return;
    isWaiting = false;
    await htmx.ajax("GET", root.dataset.refetchUrl, { source: root, target: root, swap: "outerMorph", quiet: true, push: "false" });
  }

  function rest() {
    clearTimeout(restTimer);
    restTimer = setTimeout(() => { const root = list(); if (isWaiting && root && !isUsed(root)) apply(); }, REST);
  }

  function tellNew(ids) {
    const url = list()?.dataset.refetchUrl || "";
    if (url === seenUrl) fresh += ids.filter((id) => !seen.has(id)).length;
    else { fresh = 0; seen = new Set(); }
    seenUrl = url;
    ids.forEach((id) => seen.add(id));
    if (!fresh || tellTimer) return;
    tellTimer = setTimeout(() => {
      const region = document.getElementById("list-new");
      if (region) region.textContent = fill(region, fresh);
      tellTimer = undefined;
      toldAt = Date.now();
      fresh = 0;
    }, Math.max(0, toldAt + TELL_EVERY - Date.now()));
  }
  const look = () => { const root = list(); if (root) tellNew(rowsOf(root).map((row) => row.id)); };

  document.addEventListener("pointerover", (event) => { const root = list(); isOver = event.pointerType === "mouse" && Boolean(root?.contains(event.target)); if (!isOver) rest(); });
  document.documentElement.addEventListener("pointerleave", () => { isOver = false; rest(); });
  document.addEventListener("focusout", rest);
  addEventListener("blur", rest);
  document.addEventListener("click", async (event) => {
    if (!event.target.closest("[data-refresh-order]")) return;
    await apply();
    document.getElementById("rows")?.focus({ preventScroll: true });
  });
  document.addEventListener("htmx:after:swap", (event) => { if (event.detail.ctx?.target?.hasAttribute?.("data-hold") || !seenUrl) look(); });
  window.continuo.fetchHeld = fetchHeld;
  look();
})();
