// A worker: reads a file piece by piece and hashes what it read, so that what is hashed is what is sent.
import { md5 } from "../vendor/noble-hashes/legacy.js";
import { sha256 } from "../vendor/noble-hashes/sha2.js";

let file = null;
let pieceBytes = 0;
let at = 0;
let whole = null;

const deeds = { open, next };
self.addEventListener("message", async ({ data }) => {
  try {
    const { answer, moved = [] } = await deeds[data.deed](data);
    self.postMessage({ answer }, moved);
  } catch (problem) {
    self.postMessage({ problem: `${problem.name}: ${problem.message}` });
  }
});

function open(told) {
  ({ file, pieceBytes } = told);
  at = 0;
  whole = null;
  return { answer: {} };
}

// The next piece with its MD5; the last one with the SHA-256 of the whole file.
async function next() {
  const end = Math.min(at + pieceBytes, file.size);
  const body = await file.slice(at, end).arrayBuffer();
  if (body.byteLength !== end - at) throw new Error("shorter");
  const isOnly = at === 0 && end === file.size;
  at = end;
  const bytes = new Uint8Array(body);
  const answer = { body, md5: md5(bytes), sha256: await digested(bytes, isOnly) };
  return { answer, moved: [body] };
}

async function digested(bytes, isOnly) {
  // The browser's own is much faster, but takes a whole at once, and is there only with https.
  if (isOnly && self.crypto.subtle) return new Uint8Array(await self.crypto.subtle.digest("SHA-256", bytes));
  whole = whole || sha256.create();
  whole.update(bytes);
  return at === file.size ? whole.digest() : null;
}
