/* Around sending: files into the reply box (chosen, dropped, pasted) with their progress, Undo while a mail is held,
   and the box emptied or filled when a dialog or an Undo has changed what is in it. */
(() => {
  const formOf = (id) => document.querySelector(`form[data-composer][data-draft-key="${CSS.escape(String(id))}"]`);
  const listOf = (form) => form.querySelector("[data-uploads]");
  const present = (form) => document.getElementById(form.id) || form; // a swap may have drawn it anew

  function show(form, html) {
    const list = listOf(form);
    const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("[data-uploads]");
    if (!list || !fresh) return;
    list.replaceWith(fresh);
    htmx.process(fresh);
  }

  function put(form, file) { // one request a file, so that each has its own progress and its own refusal
    return new Promise((resolve) => {
      const row = form.querySelector("[data-upload-row]").content.firstElementChild.cloneNode(true);
      row.querySelector("[data-name]").textContent = file.name;
      listOf(form).append(row);
      const body = new FormData(form.matches("[data-composer]") ? undefined : form); // a box of its own needs no more
      body.set("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]").value);
      body.set("do", "upload");
      body.set("files", file);
      const request = new XMLHttpRequest();
      request.open("POST", listOf(form).dataset.uploads);
      request.setRequestHeader("HX-Request", "true");
      request.setRequestHeader("HX-Target", "uploads");
      request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) row.querySelector("progress").value = event.loaded / event.total; });
      row.querySelector("[data-stop]").addEventListener("click", () => request.abort());
      request.addEventListener("loadend", () => {
        row.remove();
        const isOurs = request.status === 200 || request.status === 422;
        if (isOurs) show(present(form), request.responseText);
        else if (request.status) continuo.toast({ id: "request", kind: "danger", text: document.body.dataset[request.status === 413 ? "textLarge" : "textFailed"] || document.body.dataset.textFailed });
        else if (!request.aborted) continuo.toast({ id: "request", kind: "danger", text: document.body.dataset.textOffline });
        resolve();
      });
      request.addEventListener("abort", () => { request.aborted = true; });
      request.send(body);
    });
  }

  async function putAll(form, files) {
    form.dataset.uploading = "";
    for (const file of files) await put(present(form), file);
    delete form.dataset.uploading;
  }

  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-composer] [data-files], [data-takes-files] [data-files]")) return;
    const files = [...event.target.files];
    event.target.value = "";
    putAll(event.target.form, files);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-files-open]");
    if (button) button.form.querySelector("[data-files]").click();
  });
  document.addEventListener("paste", (event) => {
    const form = event.target.closest?.("form[data-composer], form[data-takes-files]");
    if (form?.querySelector("[data-files]") && event.clipboardData?.files.length) { event.preventDefault(); putAll(form, [...event.clipboardData.files]); }
  });
  const carries = (event) => event.dataTransfer?.types.includes("Files") && event.target.closest?.(".talk")?.querySelector("form[data-composer]");
  document.addEventListener("dragover", (event) => { const form = carries(event); if (form) { event.preventDefault(); form.dataset.drop = ""; } });
  document.addEventListener("dragleave", (event) => { const form = carries(event); if (form && !event.relatedTarget) delete form.dataset.drop; });
  document.addEventListener("drop", (event) => {
    const form = carries(event);
    if (!form) return;
    event.preventDefault();
    delete form.dataset.drop;
    putAll(form, [...event.dataTransfer.files]);
  });

  document.addEventListener("keydown", (event) => { // Enter in the field of copies is not a wish to send
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && event.target.matches?.("[data-composer] [name=cc]")) event.preventDefault();
  });

  // Undo
  let offer = null;
  function end() { clearInterval(offer?.timer); offer?.toast?.remove(); offer = null; }
  function undo() {
    const { url } = offer || {};
    end();
    if (url) htmx.ajax("POST", url, { source: document.getElementById("workspace"), target: "#workspace", swap: "outerMorph", values: { csrfmiddlewaretoken: document.querySelector("[name=csrfmiddlewaretoken]").value } });
  }
  document.addEventListener("undo-offer", ({ detail }) => {
    end();
    const until = Date.now() + detail.seconds * 1000;
    const words = () => detail.text.replace("%s", Math.max(0, Math.ceil((until - Date.now()) / 1000)));
    const toast = continuo.toast({ id: "undo", text: words(), sticky: true, action: { label: detail.label, run: undo } });
    const text = toast.querySelector("[data-text]");
    text.setAttribute("aria-live", "off");
    const timer = setInterval(() => { if (Date.now() >= until || !toast.isConnected) end(); else text.textContent = words(); }, 250);
    offer = { ...detail, toast, timer };
  });
  document.addEventListener("keydown", (event) => {
    if (!offer || event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey) return;
    const field = event.target.closest?.("input,textarea,[contenteditable]");
    if (field && (field.value || !field.matches("[data-draft]"))) return; // there it undoes typing
    event.preventDefault();
    undo();
  });

  // What a dialog has sent leaves the box; what was taken back comes into it, before anything typed meanwhile.
  document.addEventListener("composer-taken", ({ detail }) => {
    const area = formOf(detail.interaction)?.querySelector("textarea[data-draft]");
    if (!area) return;
    area.value = "";
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
  // These events come once the answer is drawn.
  document.addEventListener("composer-filled", ({ detail }) => {
    const area = formOf(detail.interaction)?.querySelector("textarea[data-draft]");
    if (!area) return;
    const [back, typed] = [area.defaultValue, area.value];
    area.value = typed && !back.includes(typed) ? `${back}\n\n${typed}` : back;
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  });
  document.addEventListener("wrap-up-now", () => document.querySelector('#workspace [data-key="w"]')?.click());
})();
