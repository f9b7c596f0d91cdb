"use strict";
// Passkeys: hands the server's question to the browser and its answer to the form. Decides nothing.
(() => {
  const forms = document.querySelectorAll("form[data-passkey]");
  if (!forms.length) return;
  const places = document.querySelectorAll("[data-needs-passkeys]");
  if (!window.PublicKeyCredential || !navigator.credentials) {
    for (const each of document.querySelectorAll("[data-no-passkeys]")) each.hidden = false;
    return;
  }
  for (const each of places) each.hidden = false;

  const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  function read(options) {
    const decoded = { ...options, challenge: toBytes(options.challenge) };
    if (options.user) decoded.user = { ...options.user, id: toBytes(options.user.id) };
    for (const name of ["allowCredentials", "excludeCredentials"]) {
      if (options[name]) decoded[name] = options[name].map((each) => ({ ...each, id: toBytes(each.id) }));
    }
    return decoded;
  }

  function written(credential) {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      const value = credential.response[name];
      if (value) response[name] = toText(value);
    }
    const id = toText(credential.rawId);
    return JSON.stringify({ id, rawId: id, type: credential.type, response });
  }

  function tell(form, text) {
    const place = form.querySelector("[data-passkey-says]");
    place.textContent = text;
    place.hidden = !text;
  }

  // What a browser calls what went wrong, in words for its reader.
  function words(problem, isNew) {
    if (problem.name === "InvalidStateError") return gettext("This device has a passkey of yours already.");
    if (problem.name === "NotAllowedError") {
      return isNew ? gettext("No passkey was made: it was cancelled, or took too long.") :
        gettext("No passkey was given: it was cancelled, took too long, or this device has none for this site.");
    }
    if (problem.name === "SecurityError") return gettext("Your browser offers no passkeys at this address.");
    if (problem.name === "NotSupportedError") return gettext("This device cannot make a passkey that is accepted here.");
    return interpolate(gettext("It did not work: %(problem)s"), { problem: problem.message }, true);
  }

  async function ask(form) {
    const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
    const answer = await fetch(form.dataset.ask, {
      method: "POST", headers: { "X-CSRFToken": token }, credentials: "same-origin",
    });
    if (answer.redirected) location.assign(answer.url);
    const isJson = (answer.headers.get("Content-Type") || "").includes("json");
    if (!isJson) throw new Error(gettext("the server refused. Load this page again."));
    const told = await answer.json();
    if (answer.ok) return told;
    if (told.to) location.assign(told.to);
    throw new Error(`${told.refusal} ${told.way_out}`);
  }

  async function use(form) {
    const isNew = form.dataset.passkey === "create";
    const button = form.querySelector("button[type=submit]");
    button.disabled = true;
    tell(form, "");
    try {
      const publicKey = read(await ask(form));
      const credential = await navigator.credentials[form.dataset.passkey]({ publicKey });
      form.elements.answer.value = written(credential);
      form.submit();
    } catch (problem) {
      tell(form, words(problem, isNew));
      button.disabled = false;
      delete form.dataset.sent;
    }
  }

  for (const form of forms) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      use(form);
    });
  }
  window.addEventListener("pageshow", () => {
    for (const form of forms) form.querySelector("button[type=submit]").disabled = false;
  });
})();
