/* Puts the blocks of a day at their time; without it they stand below one another in order. */
(() => {
  document.querySelectorAll("[data-calendar]").forEach((calendar) => {
    calendar.style.setProperty("--cols", calendar.dataset.columns);
    if (calendar.dataset.nowRow) {
      const line = Object.assign(document.createElement("div"), { className: "cal__now" });
      calendar.style.setProperty("--now", calendar.dataset.nowRow);
      calendar.append(line);
    }
    calendar.querySelectorAll("[data-rows]").forEach((column) => {
      column.style.gridTemplateRows = `repeat(${column.dataset.rows}, var(--row))`;
      column.querySelectorAll("[data-row]").forEach((block) => {
        block.style.gridRow = `${block.dataset.row} / span ${block.dataset.span}`;
      });
    });
    calendar.dataset.placed = "";
  });
})();
