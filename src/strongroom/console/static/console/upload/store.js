// The data set's repository at the gateway: what an upload asks of S3, signed here, tried again where that can help.
import { filled } from "./numbers.js";
import { encodedPath, encodedQuery, hex, signed, UNSIGNED } from "./sigv4.js";
import { Cancelled, pause } from "./waiting.js";

const TRIES = 7;
const FIRST_WAIT_MS = 500;
const SILENCE_MS = 120_000;

// S3 said no. `code` is its word for why.
export class Refused extends Error {
  constructor(status, code, message) {
    super(`${code || status}${message ? `: ${message}` : ""}`);
    this.status = status;
    this.code = code;
  }
}

// The gateway did not answer, or not usefully, as often as it was asked.
export class Unreachable extends Error {}

export class Store {
  // `access` gives credentials that work now, `renewed` asks for others after the store denied access.
  // `tell` hears how it goes with the connection: a sentence while it is broken, nothing when it is mended.
  constructor({ access, renewed, signal, tell }) {
    Object.assign(this, { access, renewed, signal, tell });
  }

  // `{etag}`. `sent` hears how many bytes of it went out.
  async put(key, piece, sha256, sent) {
    const headers = { "content-md5": base64(piece.md5), "x-amz-meta-sha256": sha256 };
    const answer = await this.ask({ method: "PUT", key, headers, payload: sha256, body: piece.body, sent });
    return answer.etag;
  }

  async createUpload(key) {
    const answer = await this.ask({ method: "POST", key, query: { uploads: "" } });
    return text(answer.xml, "UploadId");
  }

  async putPart(key, uploadId, partNumber, piece, sent) {
    const headers = { "content-md5": base64(piece.md5) };
    const query = { partNumber, uploadId };
    const answer = await this.ask({ method: "PUT", key, query, headers, body: piece.body, sent });
    return answer.etag;
  }

  // The parts that are there, by number: `{etag, size}`; null where the upload is not there any more.
  async parts(key, uploadId) {
    const found = new Map();
    for (let after = "0"; ;) {
      let answer;
      try {
        answer = await this.ask({ method: "GET", key, query: { uploadId, "part-number-marker": after } });
      } catch (problem) {
        if (problem instanceof Refused && problem.status === 404) return null;
        throw problem;
      }
      for (const each of answer.xml.querySelectorAll("Part")) {
        found.set(Number(text(each, "PartNumber")), { etag: unquoted(text(each, "ETag")), size: Number(text(each, "Size")) });
      }
      if (text(answer.xml, "IsTruncated") !== "true") return found;
      after = text(answer.xml, "NextPartNumberMarker");
    }
  }

  async complete(key, uploadId, etags) {
    const parts = etags.map((etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>"${etag}"</ETag></Part>`);
    const body = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
    const answer = await this.ask({ method: "POST", key, query: { uploadId }, body });
    // S3 may say 200 first and that it failed afterwards.
    if (!text(answer.xml, "ETag")) throw new Refused(200, text(answer.xml, "Code"), text(answer.xml, "Message"));
    return unquoted(text(answer.xml, "ETag"));
  }

  abort(key, uploadId) {
    return this.ask({ method: "DELETE", key, query: { uploadId } });
  }

  // What is there, page by page: `{key, size, etag}`.
  async *list(prefix) {
    for (let token = ""; ;) {
      const query = { "list-type": "2", prefix };
      if (token) query["continuation-token"] = token;
      const { xml } = await this.ask({ method: "GET", key: "", query });
      for (const each of xml.querySelectorAll("Contents")) {
        yield { key: text(each, "Key"), size: Number(text(each, "Size")), etag: unquoted(text(each, "ETag")) };
      }
      if (text(xml, "IsTruncated") !== "true") return;
      token = text(xml, "NextContinuationToken");
    }
  }

  async ask(request) {
    let hasRenewed = false;
    for (let tries = 1; ; tries += 1) {
      try {
        const answer = await this.once(request, await this.access());
        this.tell("");
        return answer;
      } catch (problem) {
        if (problem instanceof Refused && problem.status === 403 && !hasRenewed) {
          hasRenewed = true;
          await this.renewed();
        } else if (problem instanceof Unreachable && tries < TRIES) {
          const seconds = (FIRST_WAIT_MS * 2 ** (tries - 1)) / 1000;
          const told = gettext("%(problem)s Trying again in %(seconds)s s.");
          this.tell(filled(told, { problem: problem.message, seconds: Math.ceil(seconds) }));
          await pause(seconds * 1000, this.signal);
        } else throw problem;
      }
    }
  }

  once({ method, key, query = {}, headers = {}, payload = UNSIGNED, body = null, sent = () => {} }, access) {
    const path = `/${access.repository}/${key}`;
    const address = new URL(access.endpoint);
    const told = signed({ method, host: address.host, path, query, headers, payload }, access, new Date());
    const asked = encodedQuery(query);
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      const leave = () => { request.abort(); reject(new Cancelled()); };
      if (this.signal.aborted) return leave();
      this.signal.addEventListener("abort", leave, { once: true });
      request.open(method, `${address.origin}${encodedPath(path)}${asked && `?${asked}`}`);
      for (const [name, value] of Object.entries(told)) request.setRequestHeader(name, value);
      watch(request, sent);
      request.addEventListener("loadend", () => this.signal.removeEventListener("abort", leave));
      request.addEventListener("load", () => settle(request, resolve, reject));
      request.addEventListener("error", () => reject(new Unreachable(gettext("The connection to the storage broke."))));
      request.addEventListener("abort", () => reject(new Unreachable(gettext("The storage was silent for too long."))));
      request.send(body);
    });
  }
}

// Given up when nothing moves for a while: an answer to a large piece may take long, so a time for all of it would be wrong.
function watch(request, sent) {
  let timer = setTimeout(() => request.abort(), SILENCE_MS);
  const moved = () => { clearTimeout(timer); timer = setTimeout(() => request.abort(), SILENCE_MS); };
  request.upload.addEventListener("progress", (now) => { moved(); sent(now.loaded); });
  request.addEventListener("progress", moved);
  request.addEventListener("loadend", () => clearTimeout(timer));
}

function settle(request, resolve, reject) {
  const xml = new DOMParser().parseFromString(request.responseText || "<none/>", "text/xml");
  if (request.status >= 200 && request.status < 300) {
    return resolve({ xml, etag: unquoted(request.getResponseHeader("ETag") || "") });
  }
  if (request.status >= 500 || request.status === 429) {
    return reject(new Unreachable(filled(gettext("The storage answered %(status)s."), request)));
  }
  return reject(new Refused(request.status, text(xml, "Code"), text(xml, "Message")));
}

const text = (node, name) => { const found = node.querySelector(name); return found ? found.textContent : ""; };
const unquoted = (etag) => etag.replace(/^"|"$/g, "");
const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
export { hex };
