// The desk's keys, its clock and what it draws.
class DeskScreen extends Desk {
  // ---- keys

  // A desk that is no longer on the page must never hear a key, whoever forgot to close it.
  there() {
    if (!this.root.isConnected && !this.closed) this.close();
    return !this.closed;
  }

  key(event) {
    if (!this.there()) return;
    this.touched = performance.now();
    if (withModifier(event) || dialogOpen()) return;
    if (isTyping(event)) { this.typed(event); return; }
    const name = event.key.toLowerCase();
    const at = event.composedPath()[0];
    const onControl = at instanceof Element && at.matches("button, summary, a, [role=option], [role=combobox]");
    if ((event.key === "Enter" || event.key === " ") && onControl) return;
    const act = this.keyAct(name, event.key);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat || act.repeats) act.run();
  }

  keyAct(name, key) {
    if (name in VERDICTS) return { run: () => this.press(VERDICTS[name]) };
    if (name in LAYERS) return { run: () => this.peek(LAYERS[name]) };
    if (this.asking && /^[1-6]$/.test(key)) return { run: () => this.pick(Number(key) - 1) };
    const acts = { n: () => this.toggle("regions"), z: () => this.undo(), p: () => this.lookBack(), b: () => this.correct(),
      m: () => this.parts.note.focus(), enter: () => this.keep(), " ": () => this.keep(), escape: () => this.escape(),
      tab: null };
    if (acts[name]) return { run: acts[name] };
    if (/^[f01+=-]$/i.test(key)) return { run: () => this.stage.key(key), repeats: true };
    return null;
  }

  typed(event) {
    if (event.key !== "Enter" && event.key !== "Escape") { event.stopPropagation(); return; }
    const at = event.composedPath()[0];
    if (!this.root.contains(at)) return;
    event.stopPropagation();
    at.blur();
    this.stage.stage.focus({ preventScroll: true });
  }

  peek(name) {
    this.held = { name, since: performance.now() };
    if (name === "raw") this.stage.raw = !this.stage.raw; else this.stage.peeking = name;
    this.stage.shade();
  }

  release(event) {
    const name = LAYERS[event.key.toLowerCase()];
    if (!this.held || this.held.name !== name) return;
    const tapped = performance.now() - this.held.since < TAP;
    this.held = null;
    this.stage.peeking = undefined;
    if (name === "raw") this.stage.raw = !this.stage.raw;
    if (tapped) this.toggle(name); else this.stage.shade();
  }

  escape() {
    if (this.waiting) { this.waiting = null; this.say("The waiting answer is dropped: press again when you like."); }
    if (this.leaving) { this.leaving = null; this.say(""); }
    if (!this.looking) return;
    this.looking = null;
    this.say("");
    this.draw();
  }

  // ---- reasons for going against the model; they never hold anything up

  askWhy(about) {
    this.asking = about;
    const { why, note, foot } = this.parts;
    foot.style.visibility = "visible";
    why.hidden = false;
    note.hidden = true;
    why.replaceChildren();
    const part = about.act ? about.act.part : "This part";
    element("p", "", why, `${part}: ${LOOKS[about.verdict].word} against the model. Why? (may stay open)`);
    const row = element("div", "chips", why);
    this.chips[about.verdict].forEach((chip, number) => {
      const made = keyed(row, "chip", String(number + 1), chip, chip);
      made.setAttribute("aria-pressed", "false");
      made.addEventListener("click", () => this.pick(number));
    });
  }

  pick(number) {
    const { asking } = this;
    const chip = this.chips[asking.verdict][number];
    if (!chip) return;
    const about = asking.act || asking.item;
    if (asking.act && (asking.act.sent || !this.outbox.acts.includes(asking.act))) { this.stopAsking(); return; }
    about.reasons = about.reasons.includes(chip) ? about.reasons.filter((one) => one !== chip) : [...about.reasons, chip];
    if (asking.act) {
      asking.act.held = Date.now() + HELD_FOR;
      this.outbox.write(asking.act);
    }
    this.parts.why.querySelectorAll(".chip").forEach((made, i) => {
      made.setAttribute("aria-pressed", String(about.reasons.includes(this.chips[asking.verdict][i])));
    });
  }

  stopAsking(send = true) {
    if (!this.asking) return;
    this.asking = null;
    this.parts.why.hidden = true;
    this.parts.note.hidden = false;
    if (send) this.outbox.release();
  }

  // ---- the clock

  tick() {
    if (!this.there()) return;
    const now = performance.now();
    if (document.hidden && this.items[0]) this.items[0].hiddenFor = (this.items[0].hiddenFor || 0) + 500;
    if (this.asking && this.asking.act && (this.asking.act.sent || this.asking.act.held <= Date.now())) this.stopAsking();
    this.outbox.send();
    const item = this.onScreen;
    const cadence = item ? ASK : ASK_EMPTY;
    if (now - (this.asked || 0) > cadence && (this.active || !this.away || !item)) this.outbox.send(true);
    if (this.away && this.active && item) this.outbox.send(now - (this.asked || 0) > 1000);
    this.parts.time.textContent = item && item.shownAt && !this.looking ? clock((now - item.shownAt) / 1000) : "";
    const left = item && item.ends !== undefined && !this.looking && !item.answered ? (item.ends - now) / 1000 : Infinity;
    this.stage.leased(left, "Your time with this part is up: others may take it. Move the pointer to keep it.");
    this.measure();
  }

  // ---- drawing

  say(words) {
    this.parts.word.textContent = words;
    this.parts.word.title = words;
  }

  draw() {
    const item = this.onScreen;
    if (this.current !== item) {
      this.current = item;
      if (item) item.shownAt = 0; // whoever comes back to a part needs the same moment to see it
      this.parts.note.value = (item && item.note) || "";
    }
    const image = item && item.images[item.current];
    if (image) this.stage.show(image); else this.stage.clear(item ? "This part has no picture: scan it again, or decide by eye." : "");
    if (item && !item.shownAt) this.painted(item, image);
    this.ahead();
    this.drawRest(item);
  }

  // A press counts once the picture has really been on the screen: two frames after it was put there and decoded.
  async painted(item, image) {
    if (item.painting) return;
    item.painting = true;
    if (image) await this.stage.prepare(image).ready;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      item.painting = false;
      if (this.onScreen !== item) return;
      item.shownAt = performance.now();
      setTimeout(() => { if (this.onScreen === item) this.root.dataset.ready = item.key; }, BOUNCE);
    }));
  }

  ahead() {
    for (const item of this.items.slice(1, 4)) for (const image of item.images) this.stage.prepare(image);
  }

  drawRest(item) {
    const { panel, views, empty, banner, foot } = this.parts;
    this.root.dataset.item = item ? item.key : "";
    if (!item || this.root.dataset.ready !== item.key) this.root.dataset.ready = "";
    empty.hidden = Boolean(item);
    this.parts.picture.hidden = !item;
    foot.style.visibility = (item && !this.looking) || this.asking ? "visible" : "hidden";
    if (item) {
      drawPanel(panel, item, item.current);
      drawViews(views, item, item.current, (number) => { item.current = number; this.draw(); });
    } else {
      panel.replaceChildren();
      views.hidden = true;
      drawEmpty(empty, this.counts, this.away && this.counts.waiting > 0, Object.keys(this.narrow).length > 0, () => this.comeBack());
    }
    this.drawBanner(banner, item);
    this.drawTools();
    this.drawStatus();
  }

  drawBanner(banner, item) {
    const words = this.looking ? "Looking back · P goes further · Z takes it back"
      : item && (item.lost || item.notice)
      || (item && item.answering ? "Saving your first look…" : "")
      || (item && item.answered ? `You said ${LOOKS[item.answered].word}. Enter keeps it; another key changes it.` : "");
    banner.hidden = !words;
    banner.className = `banner ${item && (item.lost || item.notice) && !this.looking ? "bad" : ""}`;
    banner.replaceChildren();
    element("span", "", banner, words || "");
    if (this.looking) button(banner, "Return to the part in your hands (Escape key)", "Return", () => this.escape());
    else if (item && (item.lost || item.answered)) {
      button(banner, "Go on with the next part (Enter key)", item.lost ? "Go on" : "Keep", () => this.keep());
    }
  }

  drawTools() {
    const item = this.onScreen;
    const { buttons } = this.parts;
    const image = item && item.images[item.current];
    const has = (id) => Boolean(image && image.layers.some((layer) => layer.id === id));
    const shows = (id) => (has(id) ? this.stage.wanted(image.layers.find((layer) => layer.id === id)) : this.stage.shown[id]);
    const on = { heatmap: shows("heatmap"), where: shows("where"), regions: this.stage.regions, raw: this.stage.raw };
    for (const name of ["heatmap", "where"]) buttons[name].disabled = !has(name);
    buttons.regions.disabled = !image;
    buttons.raw.disabled = !image;
    for (const [name, pressed] of Object.entries(on)) buttons[name].setAttribute("aria-pressed", String(Boolean(pressed)));
    const free = Boolean(item) && !this.looking && !item.lost && !item.answering;
    for (const name of Object.keys(DEFECTIVE).concat("UNSURE")) {
      buttons[name].disabled = !free;
      buttons[name].classList.toggle("given", Boolean(item && (item.answered === name || (this.looking && item.verdict === name))));
    }
    buttons.correct.disabled = !free || item.blind;
  }

  drawStatus() {
    const { counts, outbox, remembered, parts } = this;
    const unsaved = outbox.unsaved;
    parts.counts.textContent = `${counts.waiting.toLocaleString("en")} ${counts.waiting === 1 ? "part" : "parts"} waiting`;
    parts.done.textContent = `${counts.done.toLocaleString("en")} answered by you today of`;
    parts.progress.max = remembered.target;
    parts.progress.value = Math.min(counts.done, remembered.target);
    const recent = remembered.times.filter((at) => Date.now() - at < 3600000).length;
    parts.pace.textContent = recent ? `${recent} in the last hour` : "";
    parts.pace.title = "Only you see this";
    parts.saving.textContent = outbox.trouble || (outbox.failures && outbox.acts.length
      ? `No connection: ${unsaved || outbox.acts.length} kept here, sent again by itself`
      : outbox.failures ? "No connection: trying again"
        : outbox.forgetful ? "this browser keeps nothing over a reload"
          : unsaved ? `saving ${unsaved}` : outbox.acts.length ? "saving" : "all saved");
    parts.saving.className = `saving ${outbox.failures || outbox.trouble ? "bad" : outbox.acts.length ? "busy" : ""}`;
  }
}

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

export default function (component) {
  const { data, parentElement } = component;
  let desk = desks.get(parentElement);
  if (!desk || !parentElement.contains(desk.parts.desk)) {
    desk = new DeskScreen(parentElement.querySelector(".desk-root") || parentElement, data);
    desks.set(parentElement, desk);
  }
  desk.component = component;
  if (desk.stamp !== data.stamp) {
    desk.stamp = data.stamp;
    desk.asked = performance.now();
    desk.take(data.screen, true);
  }
  return () => {
    desk.close();
    desks.delete(parentElement);
  };
}
