"use strict";
// What makes pages handier. Every page works without it; nothing here decides anything.
(() => {
  const COPIED_MS = 1600;

  // Times in the reader's zone; the title keeps UTC.
  const FORMAT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  function localTimes(root) {
    for (const each of root.querySelectorAll("time[datetime]:not([data-local])")) {
      const moment = new Date(each.dateTime);
      if (Number.isNaN(moment.getTime()) || !each.dateTime.includes("T")) continue;
      each.textContent = FORMAT.format(moment);
      each.dataset.local = "";
    }
  }

  // Copy buttons: shown only where they can work.
  function copyButtons(root) {
    if (!navigator.clipboard && !document.execCommand) return;
    for (const each of root.querySelectorAll("button[data-copy][hidden]")) each.hidden = false;
  }
  async function copy(button) {
    const word = button.querySelector("[data-copied-word]");
    try {
      await write(button.dataset.copy);
      said(word, gettext("Copied"));
      button.classList.add("copied");
    } catch {
      said(word, gettext("Select and copy it"));
    }
    setTimeout(() => {
      word.textContent = gettext("Copy");
      announce("");
      button.classList.remove("copied");
    }, COPIED_MS);
  }
  function said(word, text) {
    word.textContent = text;
    announce(text);
  }
  // Without HTTPS a browser offers no clipboard to scripts; the old way still works there.
  async function write(text) {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "hidden";
    document.body.append(area);
    area.select();
    const isDone = document.execCommand("copy");
    area.remove();
    if (!isDone) throw new Error("copy");
  }

  // A name that has to be typed: the button waits for it. The server asks again.
  function confirmations(root) {
    for (const input of root.querySelectorAll("input[data-must-be]")) {
      const button = input.form && input.form.querySelector("button[type=submit]");
      if (!button || input.dataset.watched !== undefined) continue;
      input.dataset.watched = "";
      const look = () => { button.disabled = input.value !== input.dataset.mustBe; };
      input.addEventListener("input", look);
      look();
    }
  }

  // The theme, without loading the page again.
  function theme(form, chosen) {
    document.documentElement.dataset.theme = chosen;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${chosen}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    const other = form.querySelector(chosen === "dark" ? ".to-light" : ".to-dark");
    if (other) other.focus();
  }

  // For screen readers.
  function announce(text) {
    const place = document.getElementById("announcer");
    if (place) place.textContent = text;
  }

  function prepare(root) {
    localTimes(root);
    copyButtons(root);
    confirmations(root);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("button[data-copy]");
    if (button) copy(button);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-theme-form]") && event.submitter) {
      event.preventDefault();
      theme(form, event.submitter.value);
      return;
    }
    // Nobody does a thing twice by clicking twice.
    if (form.method === "post" && !event.defaultPrevented) {
      if (form.dataset.sent !== undefined) event.preventDefault();
      form.dataset.sent = "";
    }
  });
  // A choice that sends its form at once, such as a filter.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
  // On a phone the tabs are wider than the screen.
  const tab = document.querySelector(".tabs [aria-current]");
  if (tab) tab.parentElement.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.parentElement.offsetLeft - 40;
  document.addEventListener("htmx:load", (event) => prepare(event.detail.elt));
  prepare(document);
})();
