// A file that a worker of its own reads and hashes, piece by piece.
import { filled } from "./numbers.js";

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
        const problem = event.message || gettext("it could not be loaded");
        reject(new Error(filled(gettext("The worker that reads files failed: %(problem)s."), { problem })));
      };
      this.worker.postMessage(told);
    });
  }
}
