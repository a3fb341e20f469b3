/* Tabs with one Tab stop and arrow keys, the panes of the inbox on narrow screens, menus that close behind one. */
(() => {
  function select(tab, focus = true) {
    tab.closest('[role="tablist"]').querySelectorAll('[role="tab"]').forEach((other) => {
      const isOn = other === tab;
      other.setAttribute("aria-selected", isOn);
      other.tabIndex = isOn ? 0 : -1;
      const panel = document.getElementById(other.getAttribute("aria-controls"));
      if (panel) panel.hidden = !isOn;
    });
    if (focus) tab.focus();
  }

  document.addEventListener("click", (event) => {
    const tab = event.target.closest('[role="tab"]');
    if (tab) select(tab);
    const pane = event.target.closest("[data-pane-show]");
    const inbox = document.querySelector(".inbox");
    if (pane && inbox) inbox.dataset.pane = inbox.dataset.pane === pane.dataset.paneShow ? "talk" : pane.dataset.paneShow;
  });

  const menus = () => document.querySelectorAll("details:is(.account, .bell, .presence-menu)[open]");
  document.addEventListener("click", (event) => menus().forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; }));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") menus().forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
  });

  document.addEventListener("keydown", (event) => {
    const tab = event.target.closest?.('[role="tab"]');
    if (!tab || !["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
    const all = [...tab.closest('[role="tablist"]').querySelectorAll('[role="tab"]')];
    const last = all.length - 1;
    const step = /Right|Down/.test(event.key) ? 1 : -1;
    const next = { Home: 0, End: last }[event.key] ?? (all.indexOf(tab) + step + all.length) % all.length;
    event.preventDefault();
    select(all[next]);
  });
})();
