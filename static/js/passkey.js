/* Passkeys: a form with data-passkey="get" or "create" asks the browser for one before it is sent. The server's options
   stand beside it as JSON (#passkey-options) or, for signing in without a password, at the form's own address. */
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  function opened(options) { // the ids and challenges as the browser wants them
    const own = options.publicKey;
    const open = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));
    const publicKey = { ...own, challenge: bytes(own.challenge) };
    if (own.user) publicKey.user = { ...own.user, id: bytes(own.user.id) };
    if (own.excludeCredentials) publicKey.excludeCredentials = open(own.excludeCredentials);
    if (own.allowCredentials) publicKey.allowCredentials = open(own.allowCredentials);
    return { publicKey };
  }

  function closed(credential) {
    const given = credential.response, response = { clientDataJSON: text(given.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) if (given[name]) response[name] = text(given[name]);
    if (given.getTransports) response.transports = given.getTransports();
    return { type: credential.type, id: credential.id, rawId: text(credential.rawId), response, authenticatorAttachment: credential.authenticatorAttachment, clientExtensionResults: credential.getClientExtensionResults() };
  }

  async function optionsOf(form) {
    const beside = document.getElementById("passkey-options");
    if (beside) return JSON.parse(beside.textContent);
    const answer = await fetch(form.action, { headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" } });
    return answer.json();
  }

  async function ask(form) {
    const given = await optionsOf(form);
    if (form.dataset.passkey === "get") return navigator.credentials.get(opened(given.request_options));
    const options = opened(given.creation_options), alone = form.querySelector("[data-passkey-alone]")?.checked;
    options.publicKey.authenticatorSelection = { ...options.publicKey.authenticatorSelection, residentKey: alone ? "required" : "discouraged", requireResidentKey: Boolean(alone) };
    if (alone) options.publicKey.authenticatorSelection.userVerification = "required";
    return navigator.credentials.create(options);
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!window.PublicKeyCredential) continue;
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const error = form.querySelector("[role=alert]"), button = form.querySelector("[type=submit]");
      button.dataset.busy = "";
      try {
        form.elements.credential.value = JSON.stringify(closed(await ask(form)));
        form.submit();
      } catch {
        if (error) error.hidden = false;
        delete button.dataset.busy;
      }
    });
  }
})();
