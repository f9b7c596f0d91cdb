// The upload page: what somebody chose becomes a plan, the plan a run, the run a summary. Every button is here.
import { sha256 } from "../vendor/noble-hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "../vendor/noble-hashes/utils.js";
import { Journal } from "./journal.js";
import { plan } from "./naming.js";
import { filled, files, size } from "./numbers.js";
import { ofDrop, ofInput } from "./picking.js";
import { Run } from "./sending.js";
import { Shown, tally } from "./showing.js";
import { Transfer } from "./transfer.js";

const SHOWN_EVERY_MS = 250;
const root = document.querySelector("[data-uploading]");
const token = root.querySelector("[name=csrfmiddlewaretoken]").value;
const shown = new Shown(root);
const field = (name) => root.querySelector(`[name=${name}]`);

const now = { chosen: [], items: [], problems: [], run: null, transfer: null, list: "" };

// Choosing

function choose(chosen) {
  if (!chosen.length) return;
  now.chosen = chosen;
  replan();
}

function replan() {
  if (!now.chosen.length) return;
  const { items, problems } = plan(now.chosen, field("folder").value.trim(), field("without_top").checked);
  now.items = items.map((each) => ({ ...each, state: "waiting", bytes: 0 }));
  now.problems = problems;
  const bytes = now.items.reduce((sum, each) => sum + each.size, 0);
  shown.list(now.items);
  const told = { files: files(now.items.length), size: size(bytes) };
  shown.write("plan", filled(now.items.length ? gettext("%(files)s (%(size)s) will be sent.") : gettext("Nothing of this can be sent."), told));
  left(problems);
  shown.only("choose", ...(now.items.length ? ["plan", "table"] : ["plan"]), ...(problems.length ? ["problems"] : []));
  shown.part("plan").querySelector("button").disabled = !now.items.length;
  const sent = filled(gettext("%(files)s will be sent."), told);
  shown.say(problems.length ? `${sent} ${cannot(problems)}.` : sent);
}

const cannot = (problems) => filled(gettext("%(files)s cannot be sent"), { files: files(problems.length) });

// What is not sent, each with its reason.
function left(problems) {
  const list = shown.part("problems").querySelector("ul");
  shown.write("problems", cannot(problems));
  list.replaceChildren(...problems.slice(0, 500).map(({ key, reason }) => {
    const line = document.createElement("li");
    const name = document.createElement("code");
    name.textContent = key;
    line.append(name, ": ", ...ticked(reason), ".");
    return line;
  }));
}

// What stands between backticks as code.
function ticked(sentence) {
  return sentence.split("`").map((each, at) => {
    if (at % 2 === 0) return each;
    const code = document.createElement("code");
    code.textContent = each;
    return code;
  });
}

// Running

async function start() {
  const button = shown.part("plan").querySelector("button");
  button.disabled = true;
  now.transfer = new Transfer(root.dataset.root, token);
  try {
    await now.transfer.open();
  } catch (problem) {
    shown.message("refused", problem);
    button.disabled = false;
    return;
  }
  now.run = new Run({ items: now.items, transfer: now.transfer, journal: new Journal(root.dataset.dataset), tell: hear });
  shown.begin();
  shown.only("run", "table", ...(now.problems.length ? ["problems"] : []));
  paused(false);
  shown.say(gettext("The upload has begun."));
  shown.part("run").querySelector("[data-deed=pause]").focus();
  const timer = setInterval(() => shown.total(now.run), SHOWN_EVERY_MS);
  const end = await now.run.go();
  clearInterval(timer);
  await over(end);
}

function hear(kind, what) {
  if (kind === "file") shown.changed.add(what);
  else if (kind === "connection") shown.write("connection", what);
  else if (kind === "halted") {
    shown.message("halted", what);
    paused(true);
  }
}

function paused(is) {
  const run = shown.part("run");
  run.querySelector("[data-deed=pause]").hidden = is;
  run.querySelector("[data-deed=resume]").hidden = !is;
  if (!is) shown.part("halted").hidden = true;
}

const deeds = {
  start,
  pause() { now.run.pause(); paused(true); focus("resume"); shown.say(gettext("Paused. Pieces on their way are sent to their end.")); },
  resume() { paused(false); now.run.resume(); focus("pause"); shown.say(gettext("It goes on.")); },
  cancel() { now.run.cancel(); shown.say(gettext("Cancelling.")); },
  again() { location.reload(); },
  missing() { for (const each of now.items) if (each.state === "failed") each.state = "waiting"; start(); },
  files() { root.querySelector("[data-input=files]").click(); },
  folder() { root.querySelector("[data-input=folder]").click(); },
};
const focus = (deed) => shown.part("run").querySelector(`[data-deed=${deed}]`).focus();

// The end

async function over(end) {
  const { run, transfer } = now;
  now.run = null;
  if (end === "cancelled") await run.clean();
  const told = summary();
  let problem = run.fatal;
  if (end !== "stopped") await transfer.close(told).catch((refused) => { problem = refused; });
  shown.total(run);
  const { done, there, failed, doneBytes } = tally(now.items);
  const whole = now.problems.length ? gettext("All that could be sent is there") : gettext("Everything is there");
  const ends = { done: failed ? gettext("Not everything was sent") : whole, cancelled: gettext("Cancelled"), stopped: gettext("Stopped") };
  shown.write("end", ends[end]);
  shown.write("summary", [arrived(done + there, doneBytes), before(there)].filter(Boolean).join(" "));
  shown.write("unsent", unsent(end, failed));
  shown.only("over", "table", ...(problem ? ["halted"] : []), ...(now.problems.length ? ["problems"] : []));
  if (problem) shown.message("halted", problem);
  root.querySelector("[data-deed=missing]").hidden = end !== "done" || !failed;
  offer(done + there);
  shown.say(root.querySelector("[data-text=end]").textContent);
  shown.part("over").querySelector("h3").focus();
}

function arrived(count, bytes) {
  const told = ngettext("%(files)s (%(size)s) is in the data set.", "%(files)s (%(size)s) are in the data set.", count);
  return filled(told, { files: files(count), size: size(bytes) });
}

function before(count) {
  if (!count) return "";
  return filled(ngettext("%(files)s was there already.", "%(files)s were there already.", count), { files: files(count) });
}

function unsent(end, failed) {
  const count = now.items.filter((each) => !["done", "there"].includes(each.state)).length;
  if (!count) return "";
  if (end === "done") return filled(gettext("%(files)s could not be sent: see below."), { files: files(failed) });
  const rest = filled(ngettext("%(files)s was not sent.", "%(files)s were not sent.", count), { files: files(count) });
  return end === "cancelled" ? `${rest} ${gettext("What was begun of them is removed; what arrived stays.")}` : rest;
}

// The list that `sha256sum -c` reads; its own SHA-256 stands in the ledger.
function summary() {
  const there = now.items.filter((each) => each.sha256);
  now.list = there.map((each) => `${each.sha256}  ${each.key}\n`).join("");
  return {
    file_count: there.length,
    size_bytes: there.reduce((sum, each) => sum + each.size, 0),
    problem_count: now.problems.length + now.items.length - there.length,
    manifest_sha256: now.list ? bytesToHex(sha256(utf8ToBytes(now.list))) : "",
  };
}

function offer(count) {
  const link = shown.part("over").querySelector("a[download]");
  link.hidden = !count;
  if (count) link.href = URL.createObjectURL(new Blob([now.list], { type: "text/plain" }));
}

// Wiring

function reasonNot() {
  const { origins, endpoint } = root.dataset;
  if (!origins.split(" ").includes(location.origin)) {
    const told = gettext("Uploading works from %(addresses)s: open this page there. Storage takes uploads from no other address of the console.");
    return filled(told, { addresses: origins.split(" ").join(", ") });
  }
  if (location.protocol === "https:" && endpoint.startsWith("http:")) {
    return gettext("The storage is reached without https, and a page that came over https may not speak to it. Use the command line, or have the operator give the gateway a certificate.");
  }
  return window.Worker && window.BigInt ? "" : gettext("This browser is too old to upload from. Use another one, or the command line.");
}

function wire() {
  root.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-deed]");
    if (button) deeds[button.dataset.deed]();
  });
  for (const input of root.querySelectorAll("[data-input]")) {
    input.addEventListener("change", () => { choose(ofInput(input)); input.value = ""; });
  }
  for (const name of ["folder", "without_top"]) field(name).addEventListener("change", replan);
  const drop = root.querySelector("[data-drop]");
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  }
  for (const name of ["dragleave", "drop"]) {
    drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.remove("over"); });
  }
  drop.addEventListener("drop", async (event) => choose(await ofDrop(event.dataTransfer)));
  window.addEventListener("beforeunload", (event) => { if (now.run) event.preventDefault(); });
  window.addEventListener("pagehide", () => { if (now.run) now.transfer.close(summary(), true).catch(() => {}); });
}

const not = reasonNot();
shown.only(...(not ? ["refused"] : ["choose"]));
if (not) shown.message("refused", { message: not });
wire();
root.hidden = false;
