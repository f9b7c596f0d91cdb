// How work waits: for its turn, while it is paused, and before it is tried again.

export class Cancelled extends Error {}

// At most `most` at a time; nothing begins while it is paused, and all that waits ends when it is cancelled.
export class Turns {
  constructor(most) {
    this.free = most;
    this.isPaused = false;
    this.waiting = [];
    this.leaving = new AbortController();
  }

  get signal() {
    return this.leaving.signal;
  }

  async take() {
    if (this.signal.aborted) throw new Cancelled();
    if (this.free > 0 && !this.isPaused) this.free -= 1;
    else await new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  give() {
    this.free += 1;
    this.wake();
  }

  pause() {
    this.isPaused = true;
  }

  resume() {
    this.isPaused = false;
    this.wake();
  }

  cancel() {
    this.leaving.abort();
    for (const each of this.waiting.splice(0)) each.reject(new Cancelled());
  }

  wake() {
    while (this.free > 0 && !this.isPaused && this.waiting.length) {
      this.free -= 1;
      this.waiting.shift().resolve();
    }
  }
}

// Ends early, as cancelled, when the signal says so.
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Cancelled());
    const ended = () => { clearTimeout(timer); reject(new Cancelled()); };
    const timer = setTimeout(() => { signal.removeEventListener("abort", ended); resolve(); }, milliseconds);
    signal.addEventListener("abort", ended, { once: true });
  });
}
