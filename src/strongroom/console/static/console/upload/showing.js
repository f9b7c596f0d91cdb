// What the page shows of a plan and of a run: the table of files, how far it is, and what is said aloud.
import { Rate, filled, files, size, time } from "./numbers.js";

const ROWS = 200;
const STATES = {
  waiting: gettext("waiting"),
  comparing: gettext("being compared"),
  sending: gettext("being sent"),
  done: gettext("sent"),
  there: gettext("was there already"),
  failed: gettext("not sent"),
};
const UNDER_WAY = new Set(["comparing", "sending"]);

export class Shown {
  constructor(root) {
    this.root = root;
    this.rows = new Map();
    this.changed = new Set();
    this.rate = new Rate();
    this.announced = 0;
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  // Shows these parts of the page, and hides the others.
  only(...names) {
    for (const each of this.root.querySelectorAll("[data-part]")) each.hidden = !names.includes(each.dataset.part);
  }

  write(name, text) {
    for (const each of this.root.querySelectorAll(`[data-text="${name}"]`)) each.textContent = text;
  }

  say(text) {
    this.write("said", text);
  }

  // A message with its way out; `to` is a page of the console that is opened beside this one.
  message(name, problem) {
    const place = this.part(name);
    place.querySelector("[data-words]").textContent = [problem.message, problem.wayOut].filter(Boolean).join(" ");
    const link = place.querySelector("a");
    link.hidden = !problem.to;
    if (problem.to) link.href = problem.to;
    place.hidden = false;
    this.say(problem.message);
  }

  // The table

  list(items) {
    this.items = items;
    this.rows.clear();
    this.root.querySelector("tbody").replaceChildren();
    for (const item of items.slice(0, ROWS)) this.row(item);
    this.more();
  }

  more() {
    const left = this.items.length - this.rows.size;
    this.write("more", left > 0 ? filled(gettext("and %(files)s more"), { files: files(left) }) : "");
  }

  row(item) {
    const row = this.root.querySelector("template").content.firstElementChild.cloneNode(true);
    row.querySelector("[data-name]").textContent = item.key;
    row.querySelector("[data-size]").textContent = size(item.size);
    row.querySelector("progress").setAttribute("aria-label", item.key);
    this.rows.set(item, row);
    this.root.querySelector("tbody").append(row);
    this.fill(item, row);
  }

  fill(item, row) {
    const bar = row.querySelector("progress");
    const isUnderWay = UNDER_WAY.has(item.state) && item.size > 0;
    bar.hidden = !isUnderWay;
    bar.value = isUnderWay ? item.bytes / item.size : 0;
    row.dataset.state = item.state;
    const reason = item.reason && item.state === "failed" ? `: ${item.reason}` : "";
    row.querySelector("[data-state-word]").textContent = STATES[item.state] + reason;
  }

  update() {
    for (const item of this.changed) {
      if (!this.rows.has(item) && (UNDER_WAY.has(item.state) || item.state === "failed")) this.row(item);
      if (this.rows.has(item)) this.fill(item, this.rows.get(item));
      const isOver = !UNDER_WAY.has(item.state) && item.state !== "failed";
      if (isOver && this.rows.size > ROWS && this.rows.has(item)) {
        this.rows.get(item).remove();
        this.rows.delete(item);
      }
    }
    this.changed.clear();
    this.more();
  }

  // How far it is

  total(run) {
    this.update();
    const told = tally(this.items);
    const bar = this.root.querySelector("[data-total]");
    const share = told.all ? told.bytes / told.all : told.over / this.items.length;
    bar.value = share;
    const of = gettext("%(part)s of %(whole)s");
    this.write("files", filled(of, { part: told.over, whole: files(this.items.length) }));
    this.write("bytes", filled(of, { part: size(told.bytes), whole: size(told.all) }));
    const rate = this.rate.at(performance.now(), told.bytes);
    this.write("rate", run.turns.isPaused ? gettext("paused") : `${size(Math.max(0, Math.round(rate)))}/s`);
    const left = rate > 0 && !run.turns.isPaused ? (told.all - told.bytes) / rate : 0;
    this.write("left", left > 0 ? filled(gettext("about %(time)s left"), { time: time(left) }) : "");
    const tenth = Math.floor(share * 10);
    if (tenth > this.announced && tenth < 10) this.say(filled(gettext("%(share)s is sent"), { share: `${tenth * 10} %` }));
    this.announced = Math.max(this.announced, tenth);
  }

  begin() {
    this.rate = new Rate();
    this.announced = 0;
  }
}

// How many of these items are over, in what way, and how many bytes that is.
export function tally(items) {
  const told = { all: 0, bytes: 0, over: 0, done: 0, there: 0, failed: 0, doneBytes: 0 };
  for (const item of items) {
    told.all += item.size;
    told.bytes += Math.min(item.bytes, item.size);
    if (item.state === "done" || item.state === "there") {
      told[item.state] += 1;
      told.over += 1;
      told.doneBytes += item.size;
    } else if (item.state === "failed") told.failed += 1;
  }
  return told;
}
