/* @name in a note: suggests colleagues, those who serve the queue first. Arrows choose, Enter or Tab takes, Escape closes.
   The ids of those taken go along as hidden fields, so that of two people with one name the right one is told. */
(() => {
  let area, start, timer, asked = 0;
  const list = () => document.getElementById("mentionable");
  const isNote = (field) => field.hasAttribute("data-mention-always")
    || field.form?.querySelector("[name=mode]:checked")?.value === "note";

  function close() {
    clearTimeout(timer);
    asked += 1;
    list()?.remove();
    area?.removeAttribute("aria-activedescendant");
    area?.removeAttribute("aria-controls");
  }

  function beginning(field) { // "@" after a space or at the start, and the word behind it up to the caret
    const before = field.value.slice(0, field.selectionStart);
    const found = /(^|[\s(])@([\p{L}\p{M}'’.-]{0,30}(?: [\p{L}\p{M}'’.-]{0,30})?)$/u.exec(before);
    return found && { from: before.length - found[2].length, text: found[2] };
  }

  async function suggest(field) {
    const word = beginning(field);
    if (!word || !isNote(field)) return close();
    area = field;
    start = word.from;
    const mine = ++asked;
    const answer = await fetch(`${field.dataset.mentionUrl}?name=${encodeURIComponent(word.text)}`, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (mine !== asked || !answer?.ok) return;
    const html = await answer.text();
    list()?.remove();
    field.closest(".composer__write").insertAdjacentHTML("afterbegin", html);
    if (!list()?.querySelector("[data-mention]") && word.text.includes(" ")) return close();
    field.setAttribute("aria-controls", "mentionable");
    mark(list().querySelector("[data-mention]"));
  }

  function mark(option) {
    list()?.querySelectorAll("[data-mention]").forEach((one) => one.setAttribute("aria-selected", one === option));
    if (option) { area.setAttribute("aria-activedescendant", option.id); option.scrollIntoView({ block: "nearest" }); }
  }

  function take(option) {
    area.setRangeText(`${option.dataset.name} `, start, area.selectionStart, "end");
    const hidden = document.createElement("input");
    Object.assign(hidden, { type: "hidden", name: "mention", value: option.dataset.mention });
    area.form.append(hidden);
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
    close();
  }

  document.addEventListener("input", (event) => {
    if (!event.target.matches?.("[data-mention-url]")) return;
    clearTimeout(timer);
    const field = event.target;
    if (!beginning(field)) return close();
    timer = setTimeout(() => suggest(field), 120);
  });
  document.addEventListener("keydown", (event) => {
    if (!list() || event.target !== area) return;
    const options = [...list().querySelectorAll("[data-mention]")];
    const here = options.findIndex((one) => one.getAttribute("aria-selected") === "true");
    const isPlainEnter = event.key === "Enter" && !event.ctrlKey && !event.metaKey;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") mark(options[(here + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length]);
    else if ((isPlainEnter || event.key === "Tab") && options[here]) take(options[here]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest?.("[data-mention]");
    if (option) { event.preventDefault(); take(option); }
  });
  document.addEventListener("focusout", (event) => { if (event.target === area) close(); });
})();
