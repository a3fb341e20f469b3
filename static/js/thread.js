/* The newest message is in view: when a conversation opens, and when something arrives while the reader is at the end. */
(() => {
  const last = new WeakMap(); // thread -> id of its last item
  const atEnd = new WeakMap();

  function follow() {
    document.querySelectorAll("[data-newest-last]").forEach((thread) => {
      const newest = [...thread.querySelectorAll("[data-item]")].pop()?.id;
      const key = `${thread.dataset.newestLast}/${newest}`;
      if (last.get(thread) === key) return;
      const isOther = !last.get(thread)?.startsWith(`${thread.dataset.newestLast}/`);
      last.set(thread, key);
      if (isOther || atEnd.get(thread) !== false) thread.scrollTop = thread.scrollHeight;
    });
  }

  document.addEventListener("scroll", ({ target }) => {
    if (target.matches?.("[data-newest-last]")) atEnd.set(target, target.scrollHeight - target.scrollTop - target.clientHeight < 80);
  }, true);
  document.addEventListener("htmx:after:swap", follow);
  follow();
})();
