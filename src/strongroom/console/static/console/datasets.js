/* Attachments: a file can be dropped on the form, and a bar shows how far its upload is. Without this the form works as it is. */
"use strict";
(() => {
  const form = document.querySelector("form[data-upload]");
  if (!form) return;
  const input = form.querySelector('input[type="file"]');
  const drop = form.querySelector("[data-drop]");
  const state = form.querySelector("[data-upload-state]");
  const bar = state.querySelector("progress");
  const words = state.querySelector("span");
  const button = form.querySelector('button[type="submit"]');
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

  const tell = (text) => { state.hidden = false; words.textContent = text; };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.upload.addEventListener("progress", (now) => {
      if (!now.lengthComputable) return;
      bar.value = Math.floor((now.loaded / now.total) * 100);
      tell(now.loaded === now.total ? "Sent; being stored …" : `${bar.value} % sent`);
    });
    request.addEventListener("load", () => {
      // The answer is a page: the list with the new document, or the form with what was refused on top.
      const answer = new DOMParser().parseFromString(request.responseText, "text/html").getElementById("content");
      if (request.status < 400) { window.location.assign(request.responseURL || form.action); return; }
      const refusal = answer && answer.querySelector('[role="alert"], h1');
      button.disabled = false;
      tell(refusal ? refusal.textContent.trim().replace(/\s+/g, " ") : `It was refused (${request.status}).`);
    });
    request.addEventListener("error", () => { button.disabled = false; tell("The connection broke. Try again."); });
    button.disabled = true;
    bar.value = 0;
    tell("0 % sent");
    request.send(new FormData(form));
  });
})();
