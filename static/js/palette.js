/* Ctrl+K: one box for what one looks for and what one wants to do. Commands are the places of the frame and whatever the
   page offers by a key ([data-key]); what is typed is also posted to the search, whose results stand below. */
(() => {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const input = dialog.querySelector("[role=combobox]"), commands = dialog.querySelector("#palette-commands");
  let timer, asked = "", run = new Map();

  const plain = (text) => text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  const options = () => [...dialog.querySelectorAll('[role="option"]:not([hidden])')];

  const textOf = (part) => { // without the key that may stand beside the words
    const copy = part?.cloneNode(true);
    copy?.querySelectorAll("kbd").forEach((key) => key.remove());
    return copy?.textContent;
  };

  function labelOf(control) {
    if (control.matches("textarea")) return "";
    return (control.getAttribute("aria-label") || textOf(control.closest("label")) || textOf(control) || "").replace(/\s+/g, " ").trim();
  }

  function collect() { // what can be done here, by the keys of the page
    commands.querySelectorAll("[data-made]").forEach((made) => made.remove());
    run = new Map();
    document.querySelectorAll("[data-key]:not(:disabled)").forEach((control, place) => {
      const label = labelOf(control);
      if (!label || dialog.contains(control)) return;
      const option = document.createElement("div");
      Object.assign(option, { className: "menu__item", id: `palette-do-${place}`, tabIndex: -1 });
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.made = "";
      const words = document.createElement("span"), key = document.createElement("kbd");
      words.className = "truncate";
      words.textContent = label.replace(/ ?\(.\)$/, "");
      key.className = "kbd";
      key.textContent = control.dataset.key.toUpperCase();
      option.append(words, key);
      commands.prepend(option);
      run.set(option, control);
    });
  }

  function mark(option) {
    dialog.querySelectorAll('[role="option"][aria-selected="true"]').forEach((one) => one.setAttribute("aria-selected", "false"));
    if (!option) { input.removeAttribute("aria-activedescendant"); return; }
    if (!option.id) option.id = `palette-found-${options().indexOf(option)}`;
    option.setAttribute("aria-selected", "true");
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  function filter() {
    const words = plain(input.value).split(/\s+/).filter(Boolean);
    commands.querySelectorAll('[role="option"]').forEach((option) => {
      option.hidden = !words.every((word) => plain(option.textContent).includes(word));
    });
    commands.hidden = !commands.querySelector('[role="option"]:not([hidden])');
    mark(options()[0]);
  }

  async function search() {
    const text = input.value.trim();
    if (!dialog.dataset.findUrl || text === asked) return;
    asked = text;
    if (text.length < 2) { dialog.querySelector("#find-results").replaceChildren(); return; }
    const values = { q: text, csrfmiddlewaretoken: dialog.querySelector("[name=csrfmiddlewaretoken]").value };
    await htmx.ajax("POST", dialog.dataset.findUrl, { source: input, target: "#find-results", swap: "outerHTML", values, push: "false" });
    if (text !== input.value.trim()) return;
    input.setAttribute("aria-controls", "palette-commands find-results");
    if (!dialog.querySelector('[role="option"][aria-selected="true"]:not([hidden])')) mark(options()[0]);
  }

  function take(option) {
    if (!option) return;
    const control = run.get(option), link = option.matches("a") ? option : option.querySelector("a");
    dialog.close();
    if (control) control.click();
    else if (link) location.assign(link.href);
  }

  function open() {
    if (document.querySelector("dialog[open]")) return;
    collect();
    input.value = "";
    asked = "";
    dialog.querySelector("#find-results").replaceChildren();
    const button = document.querySelector("[data-palette-open]");
    if (document.activeElement === document.body) button.focus({ preventScroll: true });
    const opener = document.activeElement;
    dialog.showModal();
    dialog.addEventListener("close", () => opener?.isConnected && opener.focus(), { once: true });
    filter();
    input.focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      if (dialog.open) dialog.close(); else open();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette-open]")) open();
    const option = event.target.closest('#palette [role="option"]');
    if (option) { event.preventDefault(); take(option); }
  });
  input.addEventListener("input", () => { filter(); clearTimeout(timer); timer = setTimeout(search, 200); });
  dialog.querySelector("[data-palette-form]").addEventListener("submit", (event) => event.preventDefault());
  dialog.addEventListener("keydown", (event) => {
    const all = options(), here = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown") mark(all[(here + 1) % all.length]);
    else if (event.key === "ArrowUp") mark(all[(here - 1 + all.length) % all.length]);
    else if (event.key === "Enter" && event.target === input) take(all[here]);
    else return;
    event.preventDefault();
  });
})();
