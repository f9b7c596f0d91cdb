// A transfer as the console knows it: opened, renewed, told of digests, closed. Its credentials are kept in memory alone.

// What the console refused; `to` is where the person can do what is missing.
export class Told extends Error {
  constructor(status, { refusal, way_out: wayOut = "", to = "" }) {
    super(refusal);
    Object.assign(this, { status, wayOut, to });
  }
}

const RENEWED_AT = 1 / 2;
const OLD_PAGE = {
  refusal: "The console did not understand this page.",
  way_out: "Load it again and choose the same files: what is there already is not sent again.",
};

export class Transfer {
  constructor(root, token) {
    Object.assign(this, { root, token, id: "", credentials: null, renewing: null });
  }

  async open() {
    this.keep(await this.post(`${this.root}/transfers`, {}));
  }

  // Credentials that still work for a while; others are asked for in time, once for all who wait.
  async access() {
    if (Date.now() > this.renewAt) await this.renew();
    return this.credentials;
  }

  renew() {
    this.renewing = this.renewing || this.renewNow().finally(() => { this.renewing = null; });
    return this.renewing;
  }

  async renewNow() {
    this.keep(await this.post(`${this.root}/transfers/${this.id}/renew`, {}));
  }

  record(digests) {
    return this.post(`${this.root}/transfers/${this.id}/digests`, { items: digests });
  }

  // Also while the page is being left.
  close(summary, isLeaving = false) {
    return this.post(`${this.root}/transfers/${this.id}/close`, summary, isLeaving);
  }

  keep(told) {
    this.id = told.id;
    const life = new Date(told.expires_at).getTime() - Date.now();
    this.renewAt = Date.now() + life * RENEWED_AT;
    this.credentials = {
      accessKeyId: told.access_key_id, secret: told.secret, token: told.session_token,
      endpoint: told.endpoint, region: told.region, repository: told.repository,
    };
  }

  async post(path, body, keepalive = false) {
    const headers = { "X-CSRFToken": this.token, "Content-Type": "application/json", Accept: "application/json" };
    let answer;
    try {
      answer = await fetch(path, {
        method: "POST", headers, body: JSON.stringify(body), credentials: "same-origin", redirect: "manual", keepalive,
      });
    } catch {
      throw new Told(0, { refusal: "The console does not answer.", way_out: "Look at your connection and go on." });
    }
    const isJson = (answer.headers.get("Content-Type") || "").includes("json");
    const told = isJson ? await answer.json() : OLD_PAGE;
    if (!isJson || !answer.ok) throw new Told(answer.status, told);
    return told;
  }
}
