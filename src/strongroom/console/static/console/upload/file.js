// How one file gets into the data set: left alone where it is there, else in one piece, or in parts that can be gone on with.
import { couldBe, countOf, etagOf, pieceBytesOf } from "./pieces.js";
import { Unreachable, hex } from "./store.js";

// `{state, etag, sha256}`: `there` before, or `done` now. What arrived is what was read, or it raises.
export async function one(run, item, reader) {
  const stored = run.there.get(item.key);
  if (stored && stored.size === item.size && couldBe(stored.etag, item.size)) {
    const { etag, sha256 } = await compared(run, item, reader);
    if (etag === stored.etag) return { state: "there", etag, sha256 };
  }
  begin(run, item, "sending");
  await reader.open(item.file, pieceBytesOf(item.size));
  return countOf(item.size) === 1 ? whole(run, item, reader) : inParts(run, item, reader);
}

function begin(run, item, state) {
  item.bytes = 0;
  item.state = state;
  run.tell("file", item);
}

async function compared(run, item, reader) {
  begin(run, item, "comparing");
  await reader.open(item.file, pieceBytesOf(item.size));
  const md5s = [];
  for (let number = 1; ; number += 1) {
    const piece = await inTurn(run, () => reader.next());
    md5s.push(piece.md5);
    item.bytes += piece.body.byteLength;
    run.tell("file", item);
    if (number === countOf(item.size)) return { etag: etagOf(md5s), sha256: hex(piece.sha256) };
  }
}

async function inTurn(run, deed) {
  await run.turns.take();
  try {
    return await deed();
  } finally {
    run.turns.give();
  }
}

function whole(run, item, reader) {
  return inTurn(run, async () => {
    const piece = await reader.next();
    const sha256 = hex(piece.sha256);
    const flown = flight(run, item);
    check(await run.store.put(item.key, piece, sha256, flown), etagOf([piece.md5]));
    return { state: "done", etag: etagOf([piece.md5]), sha256 };
  });
}

async function inParts(run, item, reader) {
  const there = await resumed(run, item);
  const sent = { md5s: [], flying: new Set(), failure: null, sha256: null };
  for (let number = 1; number <= countOf(item.size) && !sent.failure; number += 1) {
    await part(run, item, reader, there.get(number), number, sent);
  }
  await Promise.all(sent.flying);
  if (sent.failure) throw sent.failure;
  const etag = etagOf(sent.md5s);
  check(await run.store.complete(item.key, item.upload, sent.md5s.map(hex)), etag);
  run.journal.ended(item.key);
  item.upload = "";
  return { state: "done", etag, sha256: hex(sent.sha256) };
}

// The parts that are there from before; a new upload is begun where there is none of this very file.
async function resumed(run, item) {
  const pieceBytes = pieceBytesOf(item.size);
  item.upload = run.journal.find(item, pieceBytes);
  const there = item.upload ? await run.store.parts(item.key, item.upload) : null;
  if (there) return there;
  item.upload = await run.store.createUpload(item.key);
  run.journal.begun(item, pieceBytes, item.upload);
  return new Map();
}

// Reads the next part, and has it sent while the one after it is read.
async function part(run, item, reader, stored, number, sent) {
  await run.turns.take();
  let piece;
  try {
    piece = await reader.next();
  } catch (problem) {
    run.turns.give();
    await Promise.all(sent.flying);
    throw problem;
  }
  sent.md5s.push(piece.md5);
  sent.sha256 = piece.sha256;
  if (stored && stored.size === piece.body.byteLength && stored.etag === hex(piece.md5)) {
    item.bytes += stored.size;
    item.kept = (item.kept || 0) + stored.size;
    run.tell("file", item);
    run.turns.give();
    return;
  }
  const flying = run.store.putPart(item.key, item.upload, number, piece, flight(run, item))
    .then((etag) => check(etag, hex(piece.md5)))
    .catch((problem) => { sent.failure = sent.failure || problem; })
    .finally(() => { run.turns.give(); sent.flying.delete(flying); });
  sent.flying.add(flying);
}

// Counts the bytes of one request as they go out; a request that is tried again counts once.
function flight(run, item) {
  let before = 0;
  return (loaded) => {
    item.bytes += loaded - before;
    run.sentBytes += Math.max(0, loaded - before);
    before = loaded;
    run.tell("file", item);
  };
}

// Sent again, as if it had not arrived: the store holds something else than was read.
function check(etag, wanted) {
  if (etag !== wanted) throw new Unreachable(gettext("The storage holds something else than was sent."));
}
