/* Attachments: a file can be dropped on the form, and a bar shows how far its upload is. Without this the form works as it is. */
"use strict";
(() => {
  // The answer to an upload is a page: the list with the new document, or the form with what was refused on top.
  function show(answer) {
    const old = document.getElementById("content");
    const fresh = document.adoptNode(answer);
    old.replaceWith(fresh);
    document.dispatchEvent(new CustomEvent("htmx:load", { detail: { elt: fresh } }));
    prepare();
    fresh.focus();
    window.scrollTo(0, 0);
  }

  function droppable(form, input) {
    const drop = form.querySelector("[data-drop]");
    form.querySelector("[data-drop-hint]").hidden = false;
    for (const name of ["dragenter", "dragover"]) {
      drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
    }
    for (const name of ["dragleave", "drop"]) {
      drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.remove("over"); });
    }
    drop.addEventListener("drop", (event) => {
      if (event.dataTransfer && event.dataTransfer.files.length) input.files = event.dataTransfer.files;
    });
  }

  function send(form) {
    const state = form.querySelector("[data-upload-state]");
    const bar = state.querySelector("progress");
    const button = form.querySelector('button[type="submit"]');
    const tell = (text) => { state.hidden = false; state.querySelector("span").textContent = text; };
    const stop = (text) => { button.disabled = false; delete form.dataset.sent; tell(text); };
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.upload.addEventListener("progress", (now) => {
      if (!now.lengthComputable) return;
      bar.value = Math.floor((now.loaded / now.total) * 100);
      tell(now.loaded === now.total ? gettext("Sent; being stored …") : sent(bar.value));
    });
    request.addEventListener("load", () => {
      const answer = new DOMParser().parseFromString(request.responseText, "text/html").getElementById("content");
      if (answer) show(answer); else stop(refused(request.status));
    });
    request.addEventListener("error", () => stop(gettext("The connection broke. Try again.")));
    button.disabled = true;
    bar.value = 0;
    tell(sent(0));
    request.send(new FormData(form));
  }

  const sent = (percent) => interpolate(gettext("%(share)s sent"), { share: `${percent} %` }, true);
  const refused = (status) => interpolate(gettext("It was refused (%(status)s)."), { status }, true);

  function prepare() {
    const form = document.querySelector("form[data-upload]");
    if (!form) return;
    droppable(form, form.querySelector('input[type="file"]'));
    form.addEventListener("submit", (event) => { event.preventDefault(); send(form); });
  }

  prepare();
})();
