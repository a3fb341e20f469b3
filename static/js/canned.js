/* Canned replies: a slash at the start of a line (or the button, or / outside fields) opens the list above the reply box.
   Arrows walk, Enter or Tab inserts, Escape closes; what has no value stays in braces and is selected to be typed over. */
(() => {
  const slash = /(?:^|\n)\/([^\s/]*)$/;
  const fold = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
  let open = null; // {slot, area, from: "area" | "find"}

  const menu = () => open?.slot.querySelector("[data-canned-menu]");
  const shown = () => [...(menu()?.querySelectorAll("[role=option]:not([hidden])") || [])];
  const chosen = () => menu()?.querySelector("[role=option][aria-selected=true]");
  const typed = (area) => slash.exec(area.value.slice(0, area.selectionStart));

  function choose(option) {
    const all = menu()?.querySelectorAll("[role=option]") || [];
    all.forEach((other) => other.setAttribute("aria-selected", other === option));
    const preview = menu()?.querySelector("[data-canned-preview]");
    if (preview) preview.textContent = option?.dataset.cannedText || "";
    [open.area, menu()?.querySelector("[data-canned-find]")].forEach((field) => {
      if (option) field?.setAttribute("aria-activedescendant", option.id);
      else field?.removeAttribute("aria-activedescendant");
    });
    option?.scrollIntoView({ block: "nearest" });
  }

  function filter(words) {
    if (!menu()) return;
    const wanted = fold(words);
    menu().querySelectorAll("[role=option]").forEach((option) => { option.hidden = !fold(option.dataset.cannedWords).includes(wanted); });
    const found = shown();
    found.sort((a, b) => Number(fold(b.dataset.cannedWords).includes(` /${wanted}`)) - Number(fold(a.dataset.cannedWords).includes(` /${wanted}`)));
    menu().querySelector("[data-canned-none]").hidden = found.length > 0;
    choose(found[0]);
  }

  function close(isBack = true) {
    if (!open) return;
    const { slot, area, from } = open;
    open = null;
    slot.replaceChildren();
    area.removeAttribute("aria-activedescendant");
    area.removeAttribute("aria-controls");
    if (isBack && from === "find") area.focus();
  }

  async function start(form, from) {
    const slot = form.querySelector("[data-canned-slot]");
    const area = form.querySelector("textarea[data-draft]");
    const mode = form.querySelector("[name=mode]:checked")?.value;
    if (!slot || !area || mode === "note") return;
    open = { slot, area, from };
    await htmx.ajax("GET", `${slot.dataset.cannedSlot}?mode=${mode}`, { source: slot, target: slot, push: "false" });
    if (open?.slot !== slot || !menu()) return;
    area.setAttribute("aria-controls", menu().querySelector("[role=listbox]").id);
    filter(from === "area" ? typed(area)?.[1] ?? "" : "");
    if (from === "find") menu().querySelector("[data-canned-find]").focus();
  }

  function insert(option) {
    const { area, from } = open;
    const text = option.dataset.cannedText;
    const end = area.selectionStart;
    const found = from === "area" && typed(area);
    const begin = found ? end - found[1].length - 1 : end;
    close(false);
    area.focus();
    area.setRangeText(text, begin, found ? end : area.selectionEnd, "end");
    const missing = text.indexOf("{{");
    if (missing >= 0) area.setSelectionRange(begin + missing, begin + text.indexOf("}}", missing) + 2);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-canned-open]");
    if (button) {
      event.preventDefault();
      if (open) close();
      else start(button.closest("form"), "find");
      return;
    }
    const option = event.target.closest("[data-canned-menu] [role=option]");
    if (option && open) insert(option);
    else if (open && !event.target.closest("[data-canned-menu], textarea[data-draft]")) close(false);
  });

  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-canned-find]")) { filter(event.target.value); return; }
    if (!event.target.matches("[data-composer] textarea[data-draft]")) return;
    const found = typed(event.target);
    if (open?.from === "area") { if (found) filter(found[1]); else close(); }
    else if (!open && found && event.inputType === "insertText") start(event.target.closest("form"), "area");
  });

  document.addEventListener("keydown", (event) => {
    if (!open || event.ctrlKey || event.metaKey || event.altKey || !event.target.matches("[data-canned-find], textarea[data-draft]")) return;
    const all = shown();
    const here = all.indexOf(chosen());
    if (event.key === "ArrowDown" || event.key === "ArrowUp") choose(all[(here + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]);
    else if ((event.key === "Enter" || event.key === "Tab") && chosen() && !event.shiftKey) insert(chosen());
    else if (event.key === "Enter" && event.target.matches("[data-canned-find]")) { /* never sends the form */ }
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
})();
