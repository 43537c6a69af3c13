// The queue's desk: it holds the part in hand and the next ones whole, so that a verdict key shows the next picture at
// once, and puts the answer into its outbox. Python hands in the first parts; afterwards every answer's reply brings
// what comes next. A press counts for the picture that was on the screen, and only once it has been there a moment:
// the second half of a double press meets a picture too young to be judged, and counts for nothing.
const desks = new WeakMap();
const BOUNCE = 150; // milliseconds a picture must have been on the screen
const MOST_UNSAVED = 3;
const HELD_FOR = 5000; // an answer against the model waits so long for its reason, or until the next answer
const TAP = 300;
const AT_DESK = 240000; // somebody is there for so long after their last touch
const ASK = 15000;
const ASK_EMPTY = 4000;
const BACK = 30;
const VERDICTS = { a: "PASS", s: "FAIL", w: "REWORK", d: "UNSURE" };
const LAYERS = { g: "heatmap", h: "where", r: "raw" };
const DEFECTIVE = { PASS: false, FAIL: true, REWORK: true };

const against = (verdict, leaning) =>
  Boolean(leaning) && verdict in DEFECTIVE && DEFECTIVE[verdict] !== DEFECTIVE[leaning];

const sameNarrow = (one, other) => JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());

class Desk {
  constructor(root, data) {
    Object.assign(this, { root, user: data.user, chips: data.chips, site: data.screen.site, narrow: data.screen.narrow, items: [], history: [] });
    Object.assign(this, { known: new Map(), acted: new Set(), counts: data.screen.counts, touched: performance.now() });
    this.parts = furnish(root, (name) => this.act(name));
    this.stage = new Stage(this.parts.picture);
    this.stage.stage.style.setProperty("--viewer-height", "100%");
    this.memory = `holdpoint.desk.${this.user}`;
    this.remembered = { shown: {}, regions: true, target: 200, times: [], ...this.kept() };
    Object.assign(this.stage, { shown: this.remembered.shown, regions: this.remembered.regions });
    this.outbox = new Outbox(this.user, () => this.told(), (answer) => this.heard(answer), () => this.drawStatus());
    this.parts.target.value = this.remembered.target;
    this.parts.target.addEventListener("change", () => {
      this.remembered.target = Math.min(9999, Math.max(1, Math.round(Number(this.parts.target.value)) || 200));
      this.parts.target.value = this.remembered.target;
      this.remember();
      this.drawStatus();
    });
    this.parts.note.addEventListener("input", () => { if (this.current) this.current.note = this.parts.note.value; });
    for (const one of this.outbox.acts) if (one.kind === "answer") this.acted.add(`${one.task}.${one.revision}`);
    this.listen();
    this.clock = setInterval(() => this.tick(), 500);
    this.outbox.send();
  }

  listen() {
    this.down = (event) => this.key(event);
    this.up = (event) => this.release(event);
    this.touch = () => { this.touched = performance.now(); if (this.away) this.comeBack(); };
    this.room = () => this.measure();
    this.hide = () => this.outbox.release();
    window.addEventListener("keydown", this.down, true);
    window.addEventListener("keyup", this.up, true);
    for (const name of ["pointerdown", "pointermove", "wheel"]) window.addEventListener(name, this.touch, { passive: true });
    window.addEventListener("resize", this.room);
    window.addEventListener("pagehide", this.hide);
    this.measure();
  }

  close() {
    this.closed = true;
    window.removeEventListener("keydown", this.down, true);
    window.removeEventListener("keyup", this.up, true);
    for (const name of ["pointerdown", "pointermove", "wheel"]) window.removeEventListener(name, this.touch);
    window.removeEventListener("resize", this.room);
    window.removeEventListener("pagehide", this.hide);
    clearInterval(this.clock);
    this.stage.close();
    this.outbox.leave();
  }

  measure() {
    const top = this.root.getBoundingClientRect().top + window.scrollY;
    const height = `${Math.max(420, window.innerHeight - Math.min(top, 400) - 10)}px`;
    if (this.parts.desk.style.height !== height) this.parts.desk.style.height = height;
  }

  kept() {
    try {
      return JSON.parse(localStorage.getItem(this.memory) || "{}");
    } catch {
      return {};
    }
  }

  // Only how the desk looks and this person's own pace; nothing is lost where a browser keeps nothing.
  remember() {
    try {
      localStorage.setItem(this.memory, JSON.stringify(this.remembered));
    } catch {
      this.outbox.forgetful = true;
    }
  }

  get onScreen() { return this.looking ? this.looking.item : this.items[0]; }

  get active() { return !document.hidden && performance.now() - this.touched < AT_DESK; }

  // ---- what goes to the server and what comes back

  told() {
    this.asked = performance.now();
    const { onScreen } = this;
    return { site: this.site || null, narrow: this.narrow, active: this.active, have: [...this.known.keys()].slice(-64),
      showing: onScreen && !this.looking ? onScreen.task : null };
  }

  heard(answer) {
    for (const result of answer.results) this.settle(result);
    if (answer.screen) this.take(answer.screen); else if (answer.why) this.say(answer.why);
    if (this.waiting && this.outbox.unsaved < MOST_UNSAVED) {
      const { verdict, item } = this.waiting;
      this.waiting = null;
      if (item === this.items[0] && !this.looking) this.give(item, verdict);
    }
    this.goOnToCorrecting();
  }

  normal(payload) {
    const item = { ...payload, key: `${payload.task}.${payload.revision}`, current: payload.first, lost: "", note: "" };
    for (const image of item.images) image.key = `${image.id}.${image.url}`;
    return item;
  }

  // Parts in order from the server; the one on the screen stays there.
  take(screen, fromPage = false) {
    if (fromPage) Object.assign(this, { site: screen.site, narrow: screen.narrow });
    else if (screen.site !== this.site || !sameNarrow(screen.narrow, this.narrow)) return;
    this.counts = screen.counts;
    for (const payload of screen.items) {
      const item = this.normal(payload);
      if (!this.known.has(item.key)) this.known.set(item.key, item);
      for (const image of item.images) this.stage.prepare(image);
    }
    const first = this.items[0];
    if (!screen.active) {
      if (first && screen.lost && !first.answered) first.lost = screen.lost;
    } else {
      const listed = [];
      for (const told of screen.tasks) {
        const undoing = this.outbox.acts.some((one) => one.kind === "undo" && one.task === told.task);
        if (!undoing) this.outbox.reopened(told.task, told.revision, told.fence);
        const key = `${told.task}.${told.revision}`;
        const item = this.known.get(key);
        if (!item || this.acted.has(key)) continue;
        const ends = told.left === null ? undefined : performance.now() + told.left * 1000;
        Object.assign(item, { fence: told.fence, lost: "", ends });
        listed.push(item);
      }
      const keep = first && (listed.includes(first) || first.reopening || first.answering || first.answered || first.lost
        || (!fromPage && first === this.current));
      if (keep && !listed.includes(first) && !first.reopening && !first.answering && !first.answered && !first.lost) {
        first.lost = screen.lost || "This part is not in your hands any more.";
      }
      this.items = keep ? [first, ...listed.filter((one) => one !== first && one.task !== first.task)] : listed;
    }
    this.away = !screen.active;
    this.tidy();
    this.draw();
  }

  tidy() {
    const used = new Set([...this.items, ...this.history.map((one) => one.item)].map((one) => one.key));
    for (const key of this.known.keys()) if (!used.has(key)) this.known.delete(key);
  }

  // One act's outcome.
  settle(result) {
    const { sent } = result;
    if (!sent) return;
    const stored = result.outcome === "stored";
    if (sent.kind === "undo") {
      const item = this.items.find((one) => one.task === sent.task && one.reopening);
      if (stored) {
        this.outbox.reopened(sent.task, result.item.revision, result.item.fence);
        if (item) this.freshen(item, result.item);
      } else {
        this.say(result.why);
        for (const one of this.outbox.acts.filter((act) => act.task === sent.task && act.fence === null)) this.outbox.drop(one);
        this.items = this.items.filter((one) => one !== item);
      }
      return;
    }
    const item = this.items.find((one) => one.answering === sent.act);
    if (stored) {
      this.remembered.times = [...this.remembered.times, Date.now()].slice(-500);
      this.remember();
      if (item && result.item) this.reveal(item, result.item, sent.verdict);
      return;
    }
    this.history = this.history.filter((one) => one.act !== sent.act);
    const back = result.item ? this.normal(result.item) : item || this.known.get(`${sent.task}.${sent.revision}`);
    if (!back) { this.say(`${sent.part || "A part"}: ${result.why}`); return; }
    Object.assign(back, { lost: `Not saved. ${result.why}`, notice: `Not saved. ${result.why}`, answering: null });
    this.acted.delete(back.key);
    this.known.set(back.key, back);
    this.items = [back, ...this.items.filter((one) => one.task !== back.task)];
    this.looking = null;
  }

  freshen(item, payload) {
    const fresh = this.normal(payload);
    this.known.delete(item.key);
    Object.assign(item, fresh, { current: item.current, note: item.note, reopening: false, blind: false });
    this.known.set(item.key, item);
  }

  // The first answer is stored: now what the model says may be seen, and the answer kept or changed.
  reveal(item, payload, verdict) {
    const { key, task, revision, fence, current, note, shownAt } = item;
    Object.assign(item, this.normal(payload), { key, task, revision, fence, current, note, shownAt });
    Object.assign(item, { answered: verdict, answering: null, blind: false, reasons: [], told: performance.now() });
    this.root.dataset.ready = "";
    setTimeout(() => { if (this.onScreen === item) this.root.dataset.ready = item.key; }, BOUNCE);
    if (against(verdict, item.seen.leaning)) this.askWhy({ item, verdict });
  }

  // ---- acts

  act(name) {
    this.touched = performance.now();
    this.stage.stage.focus({ preventScroll: true }); // or the space bar would press the same button again
    if (name in LOOKS) this.press(name);
    else if (name === "undo") this.undo();
    else if (name === "back") this.lookBack();
    else if (name === "correct") this.correct();
    else this.toggle(name);
  }

  press(verdict) {
    const item = this.items[0];
    if (this.looking) { this.say("You are looking back: Escape returns to your part, Z takes this answer back."); return; }
    if (!item || item.answering || this.leaving) return;
    if (item.lost) { this.say("Press Enter to go on with the next part."); return; }
    if (!item.shownAt) { this.say("The picture is not there yet: answer when you see it."); return; }
    if (performance.now() - item.shownAt < BOUNCE) return;
    if (item.answered) {
      if (performance.now() - item.told < BOUNCE) return; // what the model says has to be seen first
      if (verdict === item.answered) this.keep(); else this.change(item, verdict, []);
    } else if (this.outbox.unsaved >= MOST_UNSAVED) {
      this.waiting = { item, verdict };
      this.outbox.release();
      this.say(`${MOST_UNSAVED} answers are still being saved: ${LOOKS[verdict].word} follows as soon as one of them is.`);
    } else {
      this.give(item, verdict);
    }
  }

  give(item, verdict) {
    const overriding = !item.blind && item.seen && against(verdict, item.seen.leaning);
    const act = this.outbox.add({ kind: "answer", task: item.task, revision: item.revision,
      fence: item.reopening ? null : item.fence, verdict, seconds: this.secondsOn(item), note: item.note || undefined,
      heatmap: heatSeen(item), reasons: [], first: item.blind || undefined, part: item.part, held: overriding ? Date.now() + HELD_FOR : 0 });
    this.say("");
    this.noteAnswer(item, verdict, act);
    if (item.blind) {
      item.answering = act.act;
      this.draw();
    } else {
      this.items.shift();
      this.draw();
      if (overriding) this.askWhy({ act, verdict });
    }
    for (const one of this.outbox.acts) if (one !== act) one.held = 0;
    this.outbox.send();
  }

  noteAnswer(item, verdict, act) {
    this.acted.add(item.key);
    this.history = this.history.filter((one) => one.item.task !== item.task);
    this.history.push({ item, verdict, act: act.act, revision: item.revision + 1 });
    if (this.history.length > BACK) this.history.shift();
  }

  secondsOn(item) {
    const away = item.hiddenFor || 0;
    return item.shownAt ? Math.max(0, Math.round((performance.now() - item.shownAt - away) / 100) / 10) : null;
  }

  // Go on from an answer that is stored, or from a part that is lost.
  keep() {
    const item = this.items[0];
    if (!item) { this.comeBack(); return; }
    if (item.answered && item.reasons.length) { this.change(item, item.answered, item.reasons); return; }
    if (!item.lost && !item.answered) return;
    if (item.lost) this.acted.add(item.key);
    this.stopAsking();
    this.items.shift();
    this.draw();
    this.outbox.send(true);
  }

  // Another answer than the first: that one stays on record as taken back, this one is new.
  change(item, verdict, reasons) {
    const seconds = this.secondsOn(item);
    this.outbox.add({ kind: "undo", task: item.task, revision: item.revision + 1 });
    const act = this.outbox.add({ kind: "answer", task: item.task, revision: item.revision + 2, fence: null, verdict, seconds,
      note: item.note || undefined, heatmap: heatSeen(item), reasons, part: item.part, held: 0 });
    this.history = this.history.filter((one) => one.item.task !== item.task);
    this.history.push({ item, verdict, act: act.act, revision: item.revision + 3 });
    this.acted.add(`${item.task}.${item.revision + 2}`);
    this.stopAsking();
    this.items.shift();
    this.draw();
    this.outbox.send();
  }

  async undo() {
    this.stopAsking(false);
    this.waiting = null;
    let entry = this.looking ? this.looking.entry : this.history[this.history.length - 1];
    if (!entry) entry = await this.fetchBack(0);
    if (!entry || this.leaving) return;
    this.history = this.history.filter((one) => one !== entry);
    const act = this.outbox.acts.find((one) => one.act === entry.act);
    const { item } = entry;
    this.items = this.items.filter((one) => one.task !== item.task);
    if (act && !act.sent) { // nobody has heard of it yet
      this.outbox.drop(act);
      this.acted.delete(item.key);
      Object.assign(item, { answering: null, shownAt: 0 });
      this.items.unshift(item);
    } else {
      this.outbox.add({ kind: "undo", task: item.task, revision: entry.revision });
      const revision = entry.revision + 1;
      const again = { ...item, revision, key: `${item.task}.${revision}`, fence: null, reopening: true, shownAt: 0,
        answered: null, answering: null, verdict: null, ends: undefined, lost: "", notice: "" };
      this.known.set(again.key, again);
      this.items.unshift(again);
    }
    this.looking = null;
    this.say("Taken back: the part is in your hands again.");
    this.draw();
    this.outbox.send();
  }

  async lookBack() {
    this.stopAsking();
    const steps = this.looking ? this.looking.steps + 1 : 0;
    const entry = this.history[this.history.length - 1 - steps] || await this.fetchBack(steps);
    if (!entry) return;
    this.looking = { steps, entry, item: { ...entry.item, verdict: entry.verdict, lost: "", notice: "" } };
    this.draw();
  }

  // What was answered before this page was opened.
  async fetchBack(steps) {
    if (this.fetching) return null;
    this.fetching = true;
    const skip = Math.max(0, steps - this.outbox.unsaved);
    try {
      const reply = await fetch(`/desk/back?skip=${skip}`, { credentials: "same-origin", signal: AbortSignal.timeout(LOST_AFTER) });
      if (!reply.ok) { this.say(reply.status < 500 ? await reply.text() : "The server cannot be reached: try again."); return null; }
      const item = this.normal(await reply.json());
      const entry = { item, verdict: item.verdict, act: null, revision: item.revision };
      if (this.history.some((one) => one.item.task === item.task)) return null;
      this.history.unshift(entry);
      return entry;
    } catch {
      this.say("The server cannot be reached: try again.");
      return null;
    } finally {
      this.fetching = false;
    }
  }

  async correct() {
    const item = this.items[0];
    if (this.looking || !item || item.blind || item.answering || item.lost) {
      this.say(item && item.blind ? "Answer first: then the boxes can be corrected." : "There is no part in your hands to correct.");
      return;
    }
    const going = { task: item.task, image: item.images[item.current] ? item.images[item.current].id : null };
    if (item.answered) await this.undo(); // the boxes belong to a part that is in hand
    this.leaving = going;
    this.say("Opening the boxes…");
    this.outbox.release();
    this.outbox.send(true);
  }

  // Only with nothing unsaved: the boxes are corrected on the part as the store has it.
  goOnToCorrecting() {
    if (!this.leaving || this.outbox.acts.length) return;
    const { leaving } = this;
    this.leaving = null;
    this.component.setTriggerValue("correct", leaving);
  }

  toggle(name) {
    if (name === "raw") this.stage.raw = !this.stage.raw;
    else if (name === "regions") this.stage.regions = this.remembered.regions = !this.stage.regions;
    else this.stage.switch(name);
    if (name !== "raw") this.stage.raw = false;
    this.remembered.shown = this.stage.shown;
    this.remember();
    this.stage.shade();
    this.drawTools();
  }

  comeBack() {
    if (!this.away && this.items.length) return;
    this.away = false;
    this.touched = performance.now();
    this.outbox.send(true);
  }
}
