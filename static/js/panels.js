/* [data-panel] inside <details data-panels>: what it shows is fetched each time it is opened. A redrawn page leaves it as it is
   (morphSkipChildren), which is safe because its id names the patient. */
document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("details[data-panels][open]")) {
    event.target.querySelector("[data-panel]")?.dispatchEvent(new CustomEvent("panel-open"));
  }
}, true);
