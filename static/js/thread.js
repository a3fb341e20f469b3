/* The newest message is in view: when a conversation opens, and when something arrives while the reader is at the end.
   What is fetched above keeps the line that is being read where it is. */
(() => {
  const last = new WeakMap(); // thread -> id of its last item
  const atEnd = new WeakMap();
  const size = new ResizeObserver((entries) => entries.forEach(({ target }) => { // the reply box grows with its text
    if (atEnd.get(target) !== false) target.scrollTop = target.scrollHeight;
  }));

  function follow() {
    document.querySelectorAll("[data-newest-last]").forEach((thread) => {
      size.observe(thread);
      const newest = [...thread.querySelectorAll("[data-item]")].pop()?.id;
      const key = `${thread.dataset.newestLast}/${newest}`;
      if (last.get(thread) === key) return;
      const isOther = !last.get(thread)?.startsWith(`${thread.dataset.newestLast}/`);
      last.set(thread, key);
      if (isOther || atEnd.get(thread) !== false) thread.scrollTop = thread.scrollHeight;
    });
  }

  let kept;
  document.addEventListener("htmx:before:swap", (event) => {
    const target = event.detail.ctx?.target;
    const thread = target?.matches?.(".thread__earlier") && target.closest("[data-newest-last]");
    kept = thread && { thread, below: thread.scrollHeight - thread.scrollTop };
  });
  function keepPlace() {
    if (kept) kept.thread.scrollTop = kept.thread.scrollHeight - kept.below;
    kept = undefined;
  }

  document.addEventListener("scroll", ({ target }) => {
    if (target.matches?.("[data-newest-last]")) atEnd.set(target, target.scrollHeight - target.scrollTop - target.clientHeight < 80);
  }, true);
  document.addEventListener("htmx:after:swap", () => { keepPlace(); follow(); });
  follow();
})();
