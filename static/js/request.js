/* What htmx leaves to the page: failed requests, ended sessions, texts of this page's language. */
(() => {
  const text = (name) => document.body.dataset[name] || "";
  const hasOwnToast = (ctx) => (ctx.response?.headers.get("HX-Trigger") || "").includes("toast");

  // A redirect to the sign-in page must never be swapped into a pane. Several answers may say so; the page goes once.
  let isLeaving = false;
  document.addEventListener("htmx:before:response", (event) => {
    const { raw } = event.detail.ctx.response;
    if (raw.redirected && new URL(raw.url).pathname === text("loginUrl")) {
      event.preventDefault();
      if (!isLeaving) location.assign(`${text("loginUrl")}?next=${encodeURIComponent(location.pathname + location.search)}`);
      isLeaving = true;
    }
  });

  // A page that refreshes itself must not keep an unattended session alive.
  document.addEventListener("htmx:config:request", (event) => {
    const { ctx } = event.detail;
    if (ctx.quiet) ctx.request.headers["X-Background"] = "1";
  });

  // The same click once more, with the keys it had: the page may have been drawn anew meanwhile, and what arrived
  // although its answer was lost is not made again.
  const KEYS = ["form_key", "draft_round"];
  function again(form, { submitter, body }) {
    KEYS.filter((name) => form.elements[name] && body?.get?.(name)).forEach((name) => { form.elements[name].value = body.get(name); });
    form.requestSubmit(submitter?.isConnected ? submitter : undefined);
  }
  function repeat({ sourceElement: source, request }) {
    if (source?.matches?.("form")) return () => again(source, request);
    return source?.matches?.("a, button") ? () => source.click() : null;
  }

  function refused(ctx, words, again) {
    const slot = ctx.request?.method === "GET" && ctx.target?.querySelector?.(":scope > [data-load-failed]");
    if (!slot) { continuo.toast({ id: "request", kind: "danger", text: words, action: again && { label: text("textAgain"), run: again } }); return; }
    slot.hidden = false;
    slot.querySelector("[data-words]").textContent = words;
    const button = slot.querySelector("[data-again]");
    button.onclick = again;
    button.hidden = !again;
  }

  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = event.detail;
    if ([409, 422, 423].includes(ctx.response.status) || hasOwnToast(ctx) || ctx.quiet) return;
    const message = { 403: text("textForbidden"), 404: text("textGone"), 429: text("textSlow") }[ctx.response.status];
    refused(ctx, message || text("textFailed"), [403, 404].includes(ctx.response.status) ? null : repeat(ctx));
  });

  document.addEventListener("htmx:error", (event) => {
    const { ctx } = event.detail;
    if (!ctx || ctx.quiet) return;
    refused(ctx, text(ctx.request?.method === "GET" ? "textUnfetched" : "textOffline"), repeat(ctx));
  });

  document.addEventListener("htmx:before:request", (event) => { // what was said of the last click is over with the next
    if (!event.detail.ctx.quiet) document.querySelector('[data-toast="request"]')?.remove();
  });

  // One click, one request: the button shows that it works and refuses a second click.
  const submitter = (ctx) => ctx.request?.submitter;
  document.addEventListener("htmx:before:request", (event) => { const button = submitter(event.detail.ctx); if (button) button.dataset.busy = ""; });
  document.addEventListener("htmx:finally:request", (event) => { const button = submitter(event.detail.ctx); if (button) delete button.dataset.busy; });
})();
