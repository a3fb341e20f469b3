/* Choosing rows of the list: a click, X on the focused row, Shift for a range, all of the view. What was chosen
   survives live updates of the list; a row that leaves the list is chosen no more. */
(() => {
  const chosen = new Set();
  let last;
  const boxes = () => [...document.querySelectorAll("[data-pick]")];
  const bar = () => document.querySelector("[data-bulk]");
  const scope = () => bar()?.querySelector("[data-scope]");

  function show() {
    if (!bar()) return;
    const isAll = scope().value === "view";
    bar().querySelector("[data-count]").textContent = isAll ? bar().dataset.textAll : chosen.size ? bar().dataset.textCount.replace("%s", chosen.size) : "";
  }

  function choose(box, isOn) {
    box.checked = isOn;
    if (isOn) chosen.add(box.value); else chosen.delete(box.value);
  }

  function clear() {
    boxes().forEach((box) => choose(box, false));
    chosen.clear();
    if (scope()) scope().value = "";
    show();
  }

  document.addEventListener("click", (event) => {
    const box = event.target.closest?.("[data-pick]");
    if (box) {
      const all = boxes(), from = all.indexOf(last), to = all.indexOf(box);
      if (event.shiftKey && from >= 0) all.slice(Math.min(from, to), Math.max(from, to) + 1).forEach((one) => choose(one, box.checked));
      choose(box, box.checked);
      if (scope()) scope().value = "";
      last = box;
      return show();
    }
    if (event.target.closest("[data-pick-none]")) return clear();
    if (event.target.closest("[data-pick-all]")) { // first the rows on the page, then all of the view
      const all = boxes();
      if (all.every((one) => one.checked)) scope().value = "view";
      all.forEach((one) => choose(one, true));
      show();
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "x" || document.body.dataset.keys === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=checkbox]),textarea,select,[contenteditable]") || document.querySelector("dialog[open]")) return;
    const row = document.activeElement.closest("li") || document.querySelector("[data-row][aria-current]")?.closest("li");
    const box = row?.querySelector("[data-pick]");
    if (!box) return;
    event.preventDefault();
    choose(box, !box.checked);
    last = box;
    show();
  });

  document.addEventListener("htmx:after:swap", () => {
    const present = new Set(boxes().map((box) => box.value));
    [...chosen].forEach((pk) => { if (!present.has(pk)) chosen.delete(pk); });
    boxes().forEach((box) => { box.checked = chosen.has(box.value); });
    show();
  });
  document.addEventListener("bulk-done", clear);
  addEventListener("pageshow", clear);

  // Ctrl+Z outside fields takes the last change back, as long as its toast offers it.
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey) return;
    if (event.target.closest("input,textarea,select,[contenteditable]")) return;
    const undo = [...document.querySelectorAll("#toasts [data-action]:not([hidden])")].pop();
    if (undo) { event.preventDefault(); undo.click(); }
  });
  document.addEventListener("toast", (event) => {
    const { undo, text } = event.detail;
    if (!undo || !bar()) return;
    event.stopImmediatePropagation();
    const token = bar().querySelector("[name=csrfmiddlewaretoken]").value;
    const run = () => htmx.ajax("POST", bar().dataset.undoUrl, { target: "#dialogs", values: { key: undo, csrfmiddlewaretoken: token } });
    continuo.toast({ text, action: { label: bar().dataset.textUndo, run } });
  }, true);
})();
