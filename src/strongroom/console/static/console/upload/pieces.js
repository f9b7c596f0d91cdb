// How a file is cut into pieces, and what the store says of an object made of them.
import { md5 } from "../vendor/noble-hashes/legacy.js";
import { bytesToHex, concatBytes } from "../vendor/noble-hashes/utils.js";

const MIB = 1024 ** 2;
const PIECE_BYTES = 8 * MIB;
const MOST_PIECES = 10_000; // Source: Amazon S3 User Guide, "Multipart upload limits"

export function pieceBytesOf(size) {
  return Math.max(PIECE_BYTES, Math.ceil(size / MOST_PIECES / MIB) * MIB);
}

export function countOf(size) {
  return Math.max(1, Math.ceil(size / pieceBytesOf(size)));
}

// Of an object sent in one piece the MD5 of its content; of one in parts the MD5 of their MD5s, and how many.
export function etagOf(md5s) {
  return md5s.length === 1 ? bytesToHex(md5s[0]) : `${bytesToHex(md5(concatBytes(...md5s)))}-${md5s.length}`;
}

// Whether an object with this ETag could have been sent as we would send it.
export function couldBe(etag, size) {
  const count = countOf(size);
  return count === 1 ? !etag.includes("-") : etag.endsWith(`-${count}`);
}
