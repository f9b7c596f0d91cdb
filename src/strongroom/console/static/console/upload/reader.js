// A file that a worker of its own reads and hashes, piece by piece.

// It became shorter, was changed or removed since it was chosen; browsers then refuse to read it.
export class Unreadable extends Error {}

export class Reader {
  constructor() {
    this.worker = new Worker(new URL("./reading.js", import.meta.url), { type: "module" });
  }

  open(file, pieceBytes) {
    return this.ask({ deed: "open", file, pieceBytes });
  }

  // `{body, md5, sha256}`; the SHA-256 of the whole file comes with the last piece.
  next() {
    return this.ask({ deed: "next" });
  }

  close() {
    this.worker.terminate();
  }

  ask(told) {
    return new Promise((resolve, reject) => {
      this.worker.onmessage = ({ data }) => (data.problem ? reject(new Unreadable(data.problem)) : resolve(data.answer));
      this.worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(`the reading worker failed: ${event.message || "it could not be loaded"}`));
      };
      this.worker.postMessage(told);
    });
  }
}
