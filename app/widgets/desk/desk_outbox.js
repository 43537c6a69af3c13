// What has been answered and not yet acknowledged. It is written down in the browser before anything is sent, under
// the person's name, and sent in order until the server says of each act that it is stored or refused: through a lost
// connection, a reload or a restart of the server. Each act has an id of its own, so sending it twice does no harm.
const ADDRESS = "/desk/answers";
const PATIENCE = [400, 800, 1600, 3000, 5000]; // milliseconds between attempts
const LOST_AFTER = 15000; // a reply that takes longer is taken for lost, and asked for again
const FIELDS = { answer: ["task", "revision", "fence", "verdict", "seconds", "reasons", "note", "first", "heatmap"],
  undo: ["task", "revision"] };

// Whether a heatmap of the part was on the screen; nothing where there was none to see.
const heatSeen = (item) => (item.images.some((one) => one.layers.some((layer) => layer.id === "heatmap"))
  ? item.images.some((one) => Boolean(one.heatSeen)) : undefined);

const newId = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID is not there on a plain-http address
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
};

class Outbox {
  // told: what the desk wants said with every request; done(results, screen): what came back.
  constructor(user, told, done, changed) {
    Object.assign(this, { user, told, done, changed });
    this.prefix = `holdpoint.act.${user}.`;
    this.failures = 0;
    this.trouble = "";
    this.acts = this.kept();
    this.last = this.acts.length ? this.acts[this.acts.length - 1].order : 0;
    this.online = () => { this.failures = 0; this.send(); };
    window.addEventListener("online", this.online);
  }

  kept() {
    const found = [];
    for (let i = 0; i < localStorage.length; i += 1) {
      const name = localStorage.key(i);
      if (!name.startsWith(this.prefix)) continue;
      try {
        const act = JSON.parse(localStorage.getItem(name));
        if (act.by === this.user) found.push(act); // another name may begin like this one
      } catch {
        localStorage.removeItem(name); // not one of ours
      }
    }
    return found.sort((a, b) => a.order - b.order);
  }

  get unsaved() { return this.acts.filter((one) => one.kind === "answer").length; }

  add(act) {
    this.last = Math.max(Date.now(), this.last + 1);
    const made = { act: newId(), by: this.user, order: this.last, ...act };
    this.acts.push(made);
    this.write(made);
    return made;
  }

  write(act) {
    try {
      localStorage.setItem(this.prefix + act.act, JSON.stringify(act));
    } catch {
      this.forgetful = true; // full, or switched off: it is sent all the same, but would not outlive a reload
    }
  }

  drop(act) {
    this.acts = this.acts.filter((one) => one.act !== act.act);
    localStorage.removeItem(this.prefix + act.act);
  }

  // An answer to a part that is just being taken back learns its revision and fence from that.
  reopened(task, revision, fence) {
    for (const one of this.acts) {
      if (one.kind !== "answer" || one.task !== task || one.fence !== null) continue;
      Object.assign(one, { revision, fence });
      this.write(one);
    }
  }

  ready() {
    const found = [];
    for (const one of this.acts) {
      if (one.held > Date.now() || (one.kind === "answer" && one.fence === null) || found.length === 8) break;
      found.push(one);
      if (one.kind === "undo") break; // what follows may need what it brings back
    }
    return found;
  }

  // An act that waits for its reason goes now.
  release() {
    for (const one of this.acts) one.held = 0;
    this.send();
  }

  // Send what is ready; with `ask`, also when nothing is, to hear what is new.
  async send(ask = false) {
    this.wanted = this.wanted || ask;
    if (this.sending || this.closed) return;
    const acts = this.ready();
    if (!acts.length && !this.wanted) return;
    if (this.failures && performance.now() < this.again) return;
    this.sending = true;
    this.wanted = false;
    for (const one of acts) if (!one.sent) { one.sent = true; this.write(one); }
    let answer = null;
    try {
      answer = await this.post(acts);
    } catch {
      answer = null; // no connection, or no reply in time
    }
    this.sending = false;
    if (answer) {
      this.failures = 0;
      this.trouble = "";
      for (const result of answer.results) {
        const act = this.acts.find((one) => one.act === result.act);
        if (act) this.drop(act);
        result.sent = act;
      }
      this.done(answer);
    } else {
      this.wanted = this.wanted || ask;
      this.wait();
    }
    this.changed();
    if (answer && (this.wanted || this.ready().length)) this.send();
  }

  async post(acts, more = {}) {
    const wire = acts.map((one) => Object.fromEntries(
      [["act", one.act], ["kind", one.kind], ...FIELDS[one.kind].map((name) => [name, one[name]])]
        .filter(([, value]) => value !== undefined)));
    const reply = await fetch(ADDRESS, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ by: this.user, ...this.told(), ...more, acts: wire }),
      credentials: "same-origin",
      keepalive: true,
      signal: AbortSignal.timeout(LOST_AFTER),
    });
    if (reply.ok) return reply.json();
    this.trouble = "";
    if (reply.status === 401) this.trouble = "You are signed out. Sign in again in this browser: your answers are kept.";
    if (reply.status === 409) this.trouble = `Sign in as ${this.user} again: answers of yours are still kept here.`;
    if ([400, 403, 413, 415].includes(reply.status)) {
      const why = await reply.text(); // it will not be taken the next time either: back to the screen with it
      return { results: acts.map((one) => ({ act: one.act, task: one.task, outcome: "refused", why })), screen: null };
    }
    return null;
  }

  wait() {
    const pause = PATIENCE[Math.min(this.failures, PATIENCE.length - 1)];
    this.failures += 1;
    this.again = performance.now() + pause;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.again = 0; this.send(true); }, pause);
  }

  // The desk is left: what is unsaved goes on trying; what was taken ahead goes back.
  leave() {
    window.removeEventListener("online", this.online);
    if (this.acts.length) { this.release(); return; }
    this.closed = true;
    clearTimeout(this.timer);
    this.post([], { leave: true }).catch(() => undefined);
  }
}
