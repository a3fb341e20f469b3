/* A visit in a calendar ([data-move]) is carried to another time, with the pointer or with Space and the arrows. Where it
   is put down, its page of other times opens with that time and what speaks against it; nothing has changed before that. */
(() => {
  const STEP = 15; // minutes of a row
  let carried = null; // {visit, calendar, column, row, span, grabbed}

  const columns = (calendar) => [...calendar.querySelectorAll("[data-rows]")];
  const clock = (minutes) => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  const timeOf = (at) => clock(at.calendar.dataset.firstHour * 60 + (at.row - 1) * STEP);
  const say = (calendar, words) => { calendar.querySelector("[data-said]").textContent = words; };

  function take(visit, grabbed = 0) {
    const block = visit.closest("[data-row]"), calendar = visit.closest("[data-calendar]");
    carried = { visit, calendar, column: block.parentElement, row: +block.dataset.row, span: +block.dataset.span, grabbed };
    visit.dataset.carried = "";
  }

  function leave() {
    if (!carried) return;
    carried.calendar.querySelectorAll(".cal__ghost").forEach((ghost) => ghost.remove());
    delete carried.visit.dataset.carried;
    carried = null;
  }

  function show(column, row) {
    const last = column.dataset.rows - carried.span + 1;
    carried.column = column;
    carried.row = Math.max(1, Math.min(Math.max(1, last), row));
    const ghost = carried.calendar.querySelector(".cal__ghost") || Object.assign(document.createElement("li"), { className: "cal__ghost", ariaHidden: "true" });
    ghost.style.gridRow = `${carried.row} / span ${carried.span}`;
    ghost.textContent = timeOf(carried);
    column.append(ghost);
    return ghost;
  }

  function putDown() {
    const { visit, column } = carried, { day, practitioner, room } = column.dataset;
    const asked = new URLSearchParams({ day, at: timeOf(carried) });
    if (practitioner) asked.set("practitioner", practitioner);
    if (room) asked.set("room", room);
    leave();
    location.assign(`${visit.dataset.move}?${asked}`);
  }

  const rowAt = (column, y) => {
    const box = column.getBoundingClientRect();
    return Math.floor((y - box.top) / (box.height / column.dataset.rows)) + 1 - carried.grabbed;
  };

  document.addEventListener("dragstart", (event) => {
    const visit = event.target.closest?.("[data-move]");
    if (!visit) return;
    leave();
    take(visit);
    carried.grabbed = rowAt(carried.column, event.clientY) - carried.row;
    event.dataTransfer.effectAllowed = "move";
  });
  document.addEventListener("dragover", (event) => {
    const column = carried && event.target.closest?.("[data-rows]");
    if (!column || column.closest("[data-calendar]") !== carried.calendar) return;
    event.preventDefault();
    show(column, rowAt(column, event.clientY));
  });
  document.addEventListener("drop", (event) => {
    if (!carried || !event.target.closest?.("[data-rows]")) return;
    event.preventDefault();
    putDown();
  });
  document.addEventListener("dragend", leave);

  function walk(key) {
    const all = columns(carried.calendar), here = all.indexOf(carried.column);
    const aside = { ArrowLeft: -1, ArrowRight: 1 }[key] || 0, along = { ArrowUp: -1, ArrowDown: 1 }[key] || 0;
    const column = all[Math.max(0, Math.min(all.length - 1, here + aside))];
    show(column, carried.row + along).scrollIntoView({ block: "nearest", inline: "nearest" });
    say(carried.calendar, `${column.getAttribute("aria-label")}, ${timeOf(carried)}`);
  }

  document.addEventListener("keydown", (event) => {
    const visit = event.target.closest?.("[data-move]");
    if (!visit || event.ctrlKey || event.metaKey || event.altKey) return;
    const isCarried = carried?.visit === visit;
    if (event.key === " " && !isCarried) {
      take(visit);
      show(carried.column, carried.row);
      say(carried.calendar, carried.calendar.dataset.textCarry.replace("%s", visit.querySelector("b").textContent));
    } else if (isCarried && event.key.startsWith("Arrow")) walk(event.key);
    else if (isCarried && (event.key === "Enter" || event.key === " ")) putDown();
    else if (isCarried && event.key === "Escape") {
      say(carried.calendar, carried.calendar.dataset.textLeft);
      leave();
    } else return;
    event.preventDefault();
    event.stopImmediatePropagation(); // Escape and the letters mean something else on the page
  }, true);
  document.addEventListener("focusout", (event) => { if (carried && event.target === carried.visit) leave(); });
})();
