// One run: the files of a plan into the data set. Knows the order of things and what stops them; nothing of the page.
import { one } from "./file.js";
import { filled } from "./numbers.js";
import { Told } from "./transfer.js";
import { Reader, Unreadable } from "./reader.js";
import { Refused, Store, Unreachable } from "./store.js";
import { Cancelled, Turns } from "./waiting.js";

const LANES = 6; // as many connections as browsers open to one host
const DIGESTS_AT_ONCE = 200;

export class Run {
  // `tell(kind, what)` hears: `file` (an item), `connection` (a sentence or nothing), `halted` (a problem).
  constructor({ items, transfer, journal, tell }) {
    Object.assign(this, { items, transfer, journal, tell });
    this.turns = new Turns(LANES);
    this.store = new Store({
      access: () => this.patiently(() => transfer.access()),
      renewed: () => this.patiently(() => transfer.renew()),
      signal: this.turns.signal,
      tell: (sentence) => tell("connection", sentence),
    });
    this.there = new Map();
    this.digests = [];
    this.sentBytes = 0;
    this.fatal = null;
  }

  // `done`, `cancelled`, or `stopped` for `fatal`.
  async go() {
    try {
      this.queue = this.items.filter((each) => each.state !== "done" && each.state !== "there");
      await this.look();
      await Promise.all(Array.from({ length: Math.min(LANES, this.queue.length) }, () => this.lane()));
      await this.flush(1);
      if (!this.turns.signal.aborted) await this.prove();
    } catch (problem) {
      if (!(problem instanceof Cancelled)) this.stop(problem);
    }
    if (this.fatal) return "stopped";
    return this.turns.signal.aborted ? "cancelled" : "done";
  }

  pause() { this.turns.pause(); }

  resume() {
    this.turns.resume();
    if (this.awaken) this.awaken();
  }

  cancel() {
    this.turns.cancel();
    if (this.awaken) this.awaken();
  }

  stop(problem) {
    this.fatal = this.fatal || problem;
    this.cancel();
  }

  // What is in the data set already of that which is to be sent.
  async look() {
    const wanted = new Set(this.queue.map((each) => each.key));
    for await (const each of this.store.list(above([...wanted]))) {
      if (wanted.has(each.key)) this.there.set(each.key, each);
    }
  }

  async lane() {
    const reader = new Reader();
    try {
      for (let item = this.queue.shift(); item; item = this.queue.shift()) await this.item(item, reader);
    } catch (problem) {
      if (!(problem instanceof Cancelled)) this.stop(problem);
    } finally {
      reader.close();
    }
  }

  async item(item, reader) {
    for (let hasRestarted = false; ; ) {
      try {
        this.keep(item, await one(this, item, reader));
        await this.flush(DIGESTS_AT_ONCE);
        return;
      } catch (problem) {
        if (problem instanceof Unreachable) await this.halt(problem);
        else if (problem instanceof Refused && problem.status === 404 && !hasRestarted) {
          hasRestarted = true; // somebody removed what was begun; whether there is still something to send to is asked anew
          this.journal.ended(item.key);
          await this.patiently(() => this.transfer.renew());
        } else if (isOfTheFile(problem)) return this.failed(item, problem);
        else throw problem;
      }
    }
  }

  // Compares all that arrived with a last listing: what somebody else changed meanwhile is named, and not counted.
  async prove() {
    for (;;) {
      try {
        for (const item of await this.differing()) this.lost(item);
        return;
      } catch (problem) {
        if (!(problem instanceof Unreachable)) throw problem;
        await this.halt(problem);
      }
    }
  }

  async differing() {
    const arrived = new Map(this.items.filter((each) => each.sha256).map((each) => [each.key, each]));
    if (!arrived.size) return [];
    const keys = [...arrived.keys()];
    for await (const each of this.store.list(above(keys))) {
      const item = arrived.get(each.key);
      if (item && each.size === item.size && each.etag === item.etag) arrived.delete(each.key);
    }
    return [...arrived.values()];
  }

  lost(item) {
    item.sha256 = "";
    item.reason = gettext("the storage does not hold what was sent: somebody else changed or removed it meanwhile");
    this.changed(item, "failed");
  }

  keep(item, { state, etag, sha256 }) {
    Object.assign(item, { etag, sha256 });
    this.digests.push({ key: item.key, size_bytes: item.size, etag, sha256 });
    this.changed(item, state);
  }

  failed(item, problem) {
    item.reason = problem instanceof Unreadable
      ? gettext("it could not be read: it was changed, moved or removed since it was chosen. Choose it again")
      : filled(gettext("the storage refused it (%(problem)s)"), { problem: problem.message });
    this.changed(item, "failed");
  }

  changed(item, state) {
    item.state = state;
    if (state !== "sending") item.bytes = state === "failed" ? 0 : item.size;
    this.tell("file", item);
  }

  // Tell the console the digests that are ready, once there are at least so many.
  async flush(least) {
    while (this.digests.length >= least) {
      const some = this.digests.splice(0, DIGESTS_AT_ONCE);
      await this.patiently(() => this.transfer.record(some));
    }
  }

  // What passes is waited out: the run stands still until it is resumed. What the console refuses for good ends it.
  async patiently(deed) {
    for (;;) {
      try {
        return await deed();
      } catch (problem) {
        if (!(problem instanceof Told) || !passes(problem)) throw problem;
        await this.halt(problem);
      }
    }
  }

  async halt(problem) {
    this.turns.pause();
    this.tell("halted", problem);
    this.awake = this.awake || new Promise((resolve) => { this.awaken = resolve; });
    await this.awake;
    this.awake = this.awaken = null;
    if (this.turns.signal.aborted) throw new Cancelled();
  }

  // Remove what was begun and will not be gone on with.
  async clean() {
    this.store.signal = new AbortController().signal;
    for (const item of this.items.filter((each) => each.upload)) {
      try {
        await this.store.abort(item.key, item.upload);
      } catch { /* it is removed when the data set is finalized */ }
      this.journal.ended(item.key);
    }
  }
}

const passes = (problem) => Boolean(problem.to) || problem.status === 0 || problem.status === 429 || problem.status >= 500;
const isOfTheFile = (problem) => problem instanceof Unreadable || problem instanceof Refused;

// What all of these keys begin with.
export function above(keys) {
  let common = keys[0] || "";
  for (const key of keys) {
    let length = 0;
    while (length < common.length && common[length] === key[length]) length += 1;
    common = common.slice(0, length);
  }
  return common;
}
