// Keeps the phone fresh and sends without leaving the page. Without it every form still works.
const stage = document.querySelector(".stage");
const notice = document.querySelector("#notice");

function query(extra = {}) {
  const { phone, email, name, tab, open } = stage.dataset;
  return new URLSearchParams({ phone, email, name, tab, open, ...extra });
}

function say(words) {
  notice.textContent = words;
  notice.hidden = !words;
}

function toEnd(pane) {
  if (stage.dataset.tab !== "email") pane.scrollTop = pane.scrollHeight;
}

async function refresh(pane, path) {
  const headers = pane.dataset.etag ? { "If-None-Match": pane.dataset.etag } : {};
  const response = await fetch(`${path}?${query()}`, { headers, cache: "no-store" });
  if (response.status !== 200) return;
  pane.dataset.etag = response.headers.get("ETag");
  if (pane.contains(document.activeElement) && document.activeElement !== pane) return void (pane.dataset.etag = "");
  const wasAtEnd = pane.scrollHeight - pane.scrollTop - pane.clientHeight < 80;
  pane.innerHTML = await response.text();
  if (wasAtEnd) toEnd(pane);
}

function keepFresh(selector, path, pause) {
  const pane = document.querySelector(selector);
  if (!pane) return;
  const tick = async () => {
    if (!document.hidden) await refresh(pane, path).catch(() => say("The simulator does not answer."));
    setTimeout(tick, pause);
  };
  tick();
}

async function submit(form, submitter) {
  const body = new FormData(form, submitter);
  const response = await fetch(form.action, { method: "POST", body, headers: { "X-Requested-With": "fetch" } });
  const { error } = await response.json().catch(() => ({ error: "The simulator could not take this." }));
  say(error);
  if (!error && submitter?.dataset.done) submitter.textContent = submitter.dataset.done;
  const email = body.get("email");
  if (!error && email && email !== stage.dataset.email) return void location.replace(`/?${query({ email })}`); // now played under this address
  if (!error && form.matches("[data-compose]")) {
    form.reset();
    form.querySelector("[data-file-name]").hidden = true;
    if (!form.querySelector("[name=subject]:not([type=hidden])")) form.querySelector("textarea").focus();
  }
  const pane = document.querySelector("#thread");
  if (!error && pane) {
    document.activeElement?.closest("#thread") && document.activeElement.blur();
    await refresh(pane, "/_phone/thread");
    toEnd(pane);
  }
}

document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  event.preventDefault();
  submit(event.target, event.submitter);
});

document.addEventListener("keydown", (event) => {
  const isText = event.target.matches("textarea") && stage.dataset.tab !== "email";
  if (!isText || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[type=radio][name=trouble]")) event.target.form.requestSubmit();
  if (!event.target.matches("[type=file]")) return;
  const label = event.target.form.querySelector("[data-file-name]");
  label.textContent = event.target.files.length ? `With ${event.target.files[0].name}` : "";
  label.hidden = !event.target.files.length;
});

let waiting;
document.querySelector("#q")?.addEventListener("input", (event) => {
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    const response = await fetch(`/_phone/people?${query({ q: event.target.value })}`);
    if (response.ok) document.querySelector("#people").innerHTML = await response.text();
  }, 200);
});

const thread = document.querySelector("#thread");
if (thread) toEnd(thread);
keepFresh("#thread", "/_phone/thread", 1000);
keepFresh("#provider", "/_phone/provider", 2000);
