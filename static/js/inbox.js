/* The inbox: which row is open, where the focus goes, one pane at a time on a phone. */
(() => {
  const frame = () => document.querySelector(".inbox");

  function markRows() {
    document.querySelectorAll("a[data-row]").forEach((row) => {
      if (new URL(row.href).pathname === location.pathname) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    });
  }

  document.addEventListener("htmx:after:swap", (event) => {
    const { ctx } = event.detail;
    const row = ctx.request?.method === "GET" && document.getElementById("workspace") && ctx.push && ctx.target?.id === "workspace";
    const isNext = ctx.target?.id === "workspace" && ctx.response?.headers.get("HX-Push-Url");
    if ((row || isNext) && frame()) frame().dataset.pane = "talk";
    const isLost = ctx.target?.id === "workspace" && document.activeElement === document.body; // what had it was replaced
    if (row || isNext || isLost) document.querySelector("[data-focus-on-open]")?.focus({ preventScroll: true });
    markRows();
  });
  document.addEventListener("htmx:after:history:push", markRows);
  document.querySelector("[data-row][aria-current]")?.scrollIntoView({ block: "nearest" });
})();
