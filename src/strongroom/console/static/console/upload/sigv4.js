// AWS Signature Version 4 for S3. Source: AWS, "Authenticating Requests: Using the Authorization Header".
import { hmac } from "../vendor/noble-hashes/hmac.js";
import { sha256 } from "../vendor/noble-hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "../vendor/noble-hashes/utils.js";

export const UNSIGNED = "UNSIGNED-PAYLOAD";
export const hex = bytesToHex;

const mac = (key, text) => hmac(sha256, key, utf8ToBytes(text));

// As S3 wants it: all but letters, digits and -._~ percent-encoded.
export const encoded = (text) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
export const encodedPath = (path) => path.split("/").map(encoded).join("/");

export function encodedQuery(query) {
  const pairs = Object.entries(query).map(([name, value]) => [encoded(name), encoded(String(value))]);
  pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return pairs.map((pair) => pair.join("=")).join("&");
}

// The headers to send with a request: those given, and what proves who sends it. `path` is not encoded yet.
export function signed({ method, host, path, query = {}, headers = {}, payload = UNSIGNED }, credentials, now) {
  const stamp = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const scope = `${stamp.slice(0, 8)}/${credentials.region}/s3/aws4_request`;
  const sent = { ...headers, "x-amz-content-sha256": payload, "x-amz-date": stamp };
  if (credentials.token) sent["x-amz-security-token"] = credentials.token;
  const all = { ...sent, host };
  const names = Object.keys(all).sort();
  const lines = names.map((name) => `${name}:${String(all[name]).trim()}\n`).join("");
  const request = [method, encodedPath(path), encodedQuery(query), lines, names.join(";"), payload].join("\n");
  const text = ["AWS4-HMAC-SHA256", stamp, scope, hex(sha256(utf8ToBytes(request)))].join("\n");
  const signature = hex(mac(signingKey(credentials, stamp.slice(0, 8)), text));
  const by = `Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(";")}`;
  return { ...sent, authorization: `AWS4-HMAC-SHA256 ${by}, Signature=${signature}` };
}

// The key is good for a day, and the same for every request with these credentials.
let kept = { name: "", key: null };
function signingKey(credentials, day) {
  const name = `${credentials.secret}/${day}/${credentials.region}`;
  if (kept.name !== name) {
    const key = [day, credentials.region, "s3", "aws4_request"].reduce(mac, utf8ToBytes(`AWS4${credentials.secret}`));
    kept = { name, key };
  }
  return kept.key;
}
