// A picture with layers over it: zoom, pan and pinch stay in the browser; addresses and numbers come from Python.
// Each picture has a slide of its own, made and decoded before it is shown, so that the next one is there at once;
// its zoom belongs to it and survives every switch of a layer. What is larger than its screen copy is sharpened by
// crops of the part in view: never by the whole picture.
const SVG = "http://www.w3.org/2000/svg";
const MOST = 16; // screen pixels for one picture pixel
const TYPING = "input:not([type=range]), textarea, select, [contenteditable=true]";
const SLIDES = 24; // kept ready
const SHARPER = 1.15; // the copy may be stretched so far before a crop is asked for
const GRID = 64; // as in app/web/pictures.py
const WIDEST = 2560;

function element(tag, name, parent, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  if (parent) parent.appendChild(made);
  return made;
}

function button(parent, label, text, act) {
  const made = element("button", "", parent, text);
  made.type = "button";
  made.title = label;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", (event) => { event.stopPropagation(); act(); });
  return made;
}

const isTyping = (event) => { const at = event.composedPath()[0]; return at instanceof Element && at.matches(TYPING); };
const withModifier = (event) => event.ctrlKey || event.metaKey || event.altKey;
const dialogOpen = () => document.querySelector("[role=dialog]") !== null;
const pixelRatio = () => window.devicePixelRatio || 1;

class Stage {
  constructor(root) {
    this.slides = new Map();
    this.pointers = new Map();
    this.shown = {};
    this.regions = true;
    this.raw = false;
    this.opacity = 0.6;
    this.slide = null;
    const stage = this.stage = element("div", "viewer", root);
    stage.tabIndex = 0;
    stage.setAttribute("role", "group");
    this.said = element("div", "said", stage);
    this.lease = element("div", "lease", stage);
    this.lease.setAttribute("role", "status");
    this.lease.hidden = true;
    this.legend = element("div", "legend", stage);
    const bar = element("div", "bar", stage);
    for (const name of ["pointerdown", "dblclick"]) bar.addEventListener(name, (event) => event.stopPropagation());
    this.label = element("label", "", bar, "Overlay");
    this.slider = element("input", "", this.label);
    Object.assign(this.slider, { type: "range", min: 10, max: 100, step: 5 });
    this.slider.setAttribute("aria-label", "Overlay opacity in percent");
    this.slider.addEventListener("input", () => { this.opacity = Number(this.slider.value) / 100; this.shade(); });
    button(bar, "Zoom out (minus key)", "−", () => this.zoom(1 / 1.4));
    button(bar, "Zoom in (plus key)", "+", () => this.zoom(1.4));
    button(bar, "One picture pixel to one screen pixel (key 0)", "1:1", () => this.actual());
    button(bar, "Fit the whole picture (F key)", "Fit", () => this.fit());
    this.zoomed = element("output", "", bar);
    this.listen(stage);
    this.sizes = new ResizeObserver(() => { if (this.slide) this.slide.fitted ? this.fit() : this.place(); });
    this.sizes.observe(stage);
  }

  listen(stage) {
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      const at = stage.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY * 0.0016), event.clientX - at.left, event.clientY - at.top);
    }, { passive: false });
    stage.addEventListener("pointerdown", (event) => {
      if (event.button > 1) return;
      stage.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
      stage.classList.add("dragging");
    });
    stage.addEventListener("pointermove", (event) => this.drag(event));
    const drop = (event) => {
      this.pointers.delete(event.pointerId);
      if (!this.pointers.size) stage.classList.remove("dragging");
    };
    stage.addEventListener("pointerup", drop);
    stage.addEventListener("pointercancel", drop);
    stage.addEventListener("dblclick", () => (this.slide && this.slide.fitted ? this.actual() : this.fit()));
    stage.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
      if (!step || !this.slide) return;
      event.preventDefault();
      event.stopPropagation();
      this.pan(step[0], step[1]);
    });
  }

  drag(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before || !this.slide) return;
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    const now = [event.clientX, event.clientY];
    this.pointers.set(event.pointerId, now);
    if (!others.length) {
      this.pan(now[0] - before[0], now[1] - before[1]);
      return;
    }
    const spread = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
    const at = this.stage.getBoundingClientRect();
    this.zoom(spread(now, others[0]) / spread(before, others[0]), others[0][0] - at.left, others[0][1] - at.top);
  }

  // One key for looking: true where it was one.
  key(name) {
    const acts = { f: () => this.fit(), 0: () => this.actual(), 1: () => this.actual(), "+": () => this.zoom(1.4),
      "=": () => this.zoom(1.4), "-": () => this.zoom(1 / 1.4) };
    const act = acts[name.toLowerCase()];
    if (act) act();
    return Boolean(act);
  }

  // A slide is made once for each picture and decoded before anybody asks for it.
  prepare(image) {
    const found = this.slides.get(image.key);
    if (found) {
      this.slides.delete(image.key); // the last asked for are kept longest
      this.slides.set(image.key, found);
      if (found.image !== image) { found.image = image; this.dress(found); }
      return found;
    }
    const slide = { image, scale: 1, x: 0, y: 0, fitted: true, layers: new Map(), failed: false };
    slide.world = element("div", "world waiting", this.stage);
    this.stage.prepend(slide.world);
    slide.base = element("img", "", slide.world);
    slide.detail = element("img", "detail", slide.world);
    slide.detail.alt = "";
    slide.maps = element("div", "", slide.world);
    slide.svg = document.createElementNS(SVG, "svg");
    slide.world.appendChild(slide.svg);
    slide.tags = element("div", "tags waiting", this.stage);
    for (const one of [slide.base, slide.detail]) one.draggable = false;
    slide.base.addEventListener("error", () => { slide.failed = true; if (slide === this.slide) this.tell(); });
    if (image.url) slide.base.src = image.url;
    slide.ready = image.url ? slide.base.decode().catch(() => undefined) : Promise.resolve();
    this.slides.set(image.key, slide);
    this.dress(slide);
    for (const [key, old] of this.slides) {
      if (this.slides.size <= SLIDES) break;
      if (old !== this.slide && old !== slide) this.forget(key, old);
    }
    return slide;
  }

  forget(key, slide) {
    slide.world.remove();
    slide.tags.remove();
    this.slides.delete(key);
  }

  // The layers, regions and tags of a slide, from its picture.
  dress(slide) {
    const { image } = slide;
    slide.base.alt = image.alt;
    const wanted = new Set(image.layers.map((layer) => layer.id));
    for (const [id, made] of slide.layers) if (!wanted.has(id)) { made.remove(); slide.layers.delete(id); }
    for (const layer of image.layers) {
      let made = slide.layers.get(layer.id);
      if (!made) {
        made = element("img", "layer", slide.maps);
        made.dataset.id = layer.id;
        made.alt = "";
        made.draggable = false;
        slide.layers.set(layer.id, made);
      }
      if (made.dataset.url !== layer.url) {
        made.dataset.url = layer.url;
        made.src = layer.url;
        made.decode().catch(() => undefined);
      }
    }
    slide.svg.setAttribute("viewBox", `0 0 ${image.width} ${image.height}`);
    slide.svg.setAttribute("preserveAspectRatio", "none");
    slide.svg.replaceChildren();
    slide.tags.replaceChildren();
    for (const region of image.regions) this.outline(slide, region);
    if (slide === this.slide) this.shade();
  }

  outline(slide, region) {
    for (const name of ["halo", "line"]) {
      const rect = document.createElementNS(SVG, "rect");
      rect.setAttribute("class", name);
      for (const side of ["x", "y", "width", "height"]) rect.setAttribute(side, region[side]);
      if (name === "line") {
        rect.setAttribute("stroke", region.colour);
        if (region.dashed) rect.setAttribute("stroke-dasharray", "7 4");
      }
      slide.svg.appendChild(rect);
    }
    element("div", "tag", slide.tags, region.label).style.borderColor = region.colour;
  }

  show(image) {
    const slide = this.prepare(image);
    const before = this.slide;
    this.slide = slide;
    if (before && before !== slide) for (const one of [before.world, before.tags]) one.classList.add("waiting");
    for (const one of [slide.world, slide.tags]) one.classList.remove("waiting");
    this.stage.setAttribute("aria-label", image.alt);
    if (slide.fitted) this.fit(); else this.place();
    this.shade();
    this.tell();
    return slide;
  }

  clear(words) {
    if (this.slide) for (const one of [this.slide.world, this.slide.tags]) one.classList.add("waiting");
    this.slide = null;
    this.legend.hidden = true;
    this.said.hidden = !words;
    this.said.textContent = words;
  }

  tell() {
    const { image, failed } = this.slide;
    const words = image.missing
      || (failed ? "The picture cannot be shown. Its file is missing, or has changed since it was filed." : "");
    this.said.hidden = !words;
    this.said.textContent = words;
  }

  // Which layers are to be seen now; `peeking` turns one of them round for as long as a key is held.
  shade() {
    const { slide } = this;
    if (!slide) return;
    const visible = [];
    const silent = []; // usually shown, but not of this picture: what it shows was measured to mislead
    for (const layer of slide.image.layers) {
      const made = slide.layers.get(layer.id);
      const on = !this.raw && (this.wanted(layer) !== (this.peeking === layer.id));
      if (on && layer.id === "heatmap") slide.image.heatSeen = true;
      if (!on && !this.raw && this.shown[layer.id] && layer.off) silent.push(layer);
      made.dataset.shown = on ? "yes" : "no";
      made.style.opacity = on ? this.opacity : 0;
      if (on) visible.push(layer);
    }
    const boxes = !this.raw && this.regions;
    slide.svg.style.display = boxes ? "" : "none";
    slide.tags.hidden = !boxes;
    this.label.hidden = visible.length === 0;
    this.slider.value = Math.round(this.opacity * 100);
    this.legend.hidden = visible.length + silent.length === 0;
    this.legend.replaceChildren();
    for (const layer of visible) {
      const row = element("div", "", this.legend);
      element("i", "", row).style.background = `linear-gradient(90deg, ${layer.ramp.join(", ")})`;
      element("span", "", row, layer.title);
    }
    for (const layer of silent) element("div", "", this.legend, `Heatmap hidden: ${layer.off}. G shows it.`);
  }

  // Whether a layer is shown here: as usual, or, where it stays hidden by itself, as asked for on this very picture.
  wanted(layer) {
    return Boolean(this.shown[layer.id]) && (!layer.off || Boolean(layer.asked));
  }

  // Switch a layer for this picture and those that follow.
  switch(id) {
    const layer = this.slide && this.slide.image.layers.find((one) => one.id === id);
    const shows = layer ? !this.wanted(layer) : !this.shown[id];
    this.shown[id] = shows;
    if (layer) layer.asked = shows;
  }

  bounds() {
    const { clientWidth: w, clientHeight: h } = this.stage;
    const { width, height } = this.slide.image;
    return { w, h, fitting: Math.min(w / width, h / height) };
  }

  fit() {
    const { slide } = this;
    if (!slide) return;
    const { w, h, fitting } = this.bounds();
    if (!w || !h) return;
    slide.scale = Math.min(fitting, MOST);
    slide.x = (w - slide.image.width * slide.scale) / 2;
    slide.y = (h - slide.image.height * slide.scale) / 2;
    slide.fitted = true;
    this.place();
  }

  actual() { if (this.slide) this.zoom(1 / pixelRatio() / this.slide.scale); }

  pan(dx, dy) {
    Object.assign(this.slide, { x: this.slide.x + dx, y: this.slide.y + dy, fitted: false });
    this.place();
  }

  zoom(factor, atX, atY) {
    const { slide } = this;
    if (!slide) return;
    const { w, h, fitting } = this.bounds();
    const px = atX ?? w / 2, py = atY ?? h / 2;
    const wanted = Math.min(Math.max(slide.scale * factor, Math.min(fitting, 1) * 0.5), Math.max(MOST, fitting));
    slide.x = px - (px - slide.x) * (wanted / slide.scale);
    slide.y = py - (py - slide.y) * (wanted / slide.scale);
    slide.scale = wanted;
    slide.fitted = false;
    this.place();
  }

  place() {
    const { slide } = this;
    const { image, scale, world } = slide;
    const { w, h } = this.bounds();
    const margin = 80; // a part of the picture always stays in sight
    slide.x = Math.min(Math.max(slide.x, margin - image.width * scale), w - margin);
    slide.y = Math.min(Math.max(slide.y, margin - image.height * scale), h - margin);
    world.style.width = `${image.width * scale}px`;
    world.style.height = `${image.height * scale}px`;
    world.style.transform = `translate(${slide.x}px, ${slide.y}px)`;
    this.zoomed.textContent = `${Math.round(scale * pixelRatio() * 100)}%`;
    world.classList.toggle("crisp", scale > 3);
    this.tag();
    clearTimeout(this.sharpening);
    if (image.crop) this.sharpening = setTimeout(() => this.sharpen(slide), 140);
  }

  // Ask for the part in view at the screen's own resolution, where the screen copy has less.
  sharpen(slide) {
    if (slide !== this.slide || !slide.base.naturalWidth) return;
    const { image, scale } = slide;
    const needed = scale * pixelRatio();
    if (needed * image.width <= slide.base.naturalWidth * SHARPER) return;
    const { w, h } = this.bounds();
    const view = { left: -slide.x / scale, top: -slide.y / scale, right: (w - slide.x) / scale,
      bottom: (h - slide.y) / scale };
    const down = (value) => Math.max(0, Math.floor(value / GRID) * GRID);
    const up = (value, most) => Math.min(most, Math.ceil(value / GRID) * GRID);
    const seen = { left: down(view.left), top: down(view.top), right: up(view.right, image.width),
      bottom: up(view.bottom, image.height) };
    if (seen.right <= seen.left || seen.bottom <= seen.top) return;
    const have = slide.crop;
    const enough = Math.min(needed, 1) / SHARPER;
    if (have && have.density >= enough && have.left <= seen.left && have.top <= seen.top
      && have.right >= seen.right && have.bottom >= seen.bottom) return;
    const spare = { x: (seen.right - seen.left) * 0.2, y: (seen.bottom - seen.top) * 0.2 }; // for the next small pan
    const box = { left: down(seen.left - spare.x), top: down(seen.top - spare.y),
      right: up(seen.right + spare.x, image.width), bottom: up(seen.bottom + spare.y, image.height) };
    const across = box.right - box.left;
    const most = Math.min(WIDEST, Math.ceil(across * Math.min(needed, 1)));
    const url = `${image.crop}&box=${box.left},${box.top},${across},${box.bottom - box.top}&width=${most}`;
    if (slide.asked === url) return;
    slide.asked = url;
    const made = new Image();
    made.src = url;
    made.decode().then(() => {
      if (slide.asked !== url) return;
      slide.crop = { ...box, density: made.naturalWidth / across };
      slide.detail.src = url;
      Object.assign(slide.detail.style, { display: "block", left: `${(box.left / image.width) * 100}%`,
        top: `${(box.top / image.height) * 100}%`, width: `${(across / image.width) * 100}%`,
        height: `${((box.bottom - box.top) / image.height) * 100}%` });
    }).catch(() => { if (slide.asked === url) slide.asked = ""; }); // the copy stays; the next move asks again
  }

  tag() {
    const { slide } = this;
    [...slide.tags.children].forEach((made, i) => {
      const region = slide.image.regions[i];
      const left = slide.x + region.x * slide.scale, top = slide.y + region.y * slide.scale;
      made.style.left = `${Math.max(left, 2)}px`;
      made.style.top = top > 24 ? `${top - 23}px` : `${top + region.height * slide.scale + 4}px`;
    });
  }

  // The last minute of a lease is told; afterwards the part may be somebody else's.
  leased(left, afterwards) {
    this.lease.hidden = left > 60;
    if (left <= 60) this.lease.textContent = left > 0 ? `Yours for ${Math.ceil(left)} s more` : afterwards;
  }

  close() {
    this.sizes.disconnect();
    clearTimeout(this.sharpening);
  }
}
