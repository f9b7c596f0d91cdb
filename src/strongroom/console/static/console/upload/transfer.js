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
  refusal: gettext("The console did not understand this page."),
  way_out: gettext("Load it again and choose the same files: what is there already is not sent again."),
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
    if (performance.now() > this.renewAt) await this.renew();
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
    // By how long they work, not by when they end: the clock of this computer may be wrong.
    this.renewAt = performance.now() + told.seconds_left * 1000 * RENEWED_AT;
    this.credentials = {
      accessKeyId: told.access_key_id, secret: told.secret, token: told.session_token,
      endpoint: told.endpoint, region: told.region, repository: told.repository,
    };
  }

  async post(path, body, keepalive = false) {
    let answer = await this.send(path, body, keepalive);
    // Whoever signed in anew meanwhile has another form token, which a page of the console tells.
    if (answer.status === 403 && !isJson(answer) && (await this.refresh())) answer = await this.send(path, body, keepalive);
    const told = isJson(answer) ? await answer.json() : OLD_PAGE;
    if (!isJson(answer) || !answer.ok) throw new Told(answer.status, told);
    return told;
  }

  send(path, body, keepalive) {
    const headers = { "X-CSRFToken": this.token, "Content-Type": "application/json", Accept: "application/json" };
    return asked(path, { method: "POST", headers, body: JSON.stringify(body), redirect: "manual", keepalive });
  }

  async refresh() {
    const page = await asked(`${this.root}/upload`, {});
    if (page.redirected) throw new Told(401, { refusal: gettext("You are signed out."), way_out: gettext("Sign in."), to: page.url });
    const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
    const field = fresh.querySelector("[data-uploading] [name=csrfmiddlewaretoken]");
    if (field) this.token = field.value;
    return Boolean(field);
  }
}

const isJson = (answer) => (answer.headers.get("Content-Type") || "").includes("json");

async function asked(path, options) {
  try {
    return await fetch(path, { credentials: "same-origin", ...options });
  } catch {
    const wayOut = gettext("Look at your connection and go on.");
    throw new Told(0, { refusal: gettext("The console does not answer."), way_out: wayOut });
  }
}
