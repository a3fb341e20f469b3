/* What is fetched for somebody who waits is drawn as a skeleton after 150 ms, where it will stand:
   [data-skeleton] on what is fetched anew names the template, [data-skeleton-place] inside says where, else it covers the whole part. */
(() => {
  const PATIENCE = 150;
  const waits = new WeakMap(); // request -> {timer, cover, part, undo}
  const frame = () => document.querySelector(".inbox");
  const partOf = (ctx) => (!ctx.quiet && ctx.request?.method === "GET" && ctx.target?.matches?.("[data-skeleton]") ? ctx.target : null);

  function cover(wait, ctx) {
    const part = partOf(ctx), template = part && document.getElementById(part.dataset.skeleton);
    if (!template) return;
    wait.part = part;
    wait.cover = template.content.firstElementChild.cloneNode(true);
    const place = part.querySelector("[data-skeleton-place]");
    if (place) wait.cover.style.top = `${place.offsetTop}px`;
    part.setAttribute("aria-busy", "true");
    part.append(wait.cover);
    if (ctx.push && part.id === "workspace" && frame()?.dataset.pane === "list") { // on a phone it comes into view
      frame().dataset.pane = "talk";
      wait.undo = () => { frame().dataset.pane = "list"; };
    }
  }

  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    if (!partOf(ctx)) return;
    const wait = {};
    wait.timer = setTimeout(() => cover(wait, ctx), PATIENCE);
    waits.set(ctx, wait);
  });
  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    const wait = waits.get(ctx);
    if (!wait) return;
    clearTimeout(wait.timer);
    wait.cover?.remove();
    wait.part?.removeAttribute("aria-busy");
    if (!(ctx.response?.status < 400)) wait.undo?.();
  });
})();
