// A picture with layers over it: zoom, pan and pinch stay in the browser; Python sends only addresses and numbers.
// The view (zoom, pan, opacity) belongs to one item: it survives every rerun about that item and ends with it.
const views = new WeakMap();
const SVG = "http://www.w3.org/2000/svg";
const MOST = 16; // screen pixels for one picture pixel
const TYPING = "input:not([type=range]), textarea, select, [contenteditable=true]";

function element(tag, name, parent) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  parent.appendChild(made);
  return made;
}

function button(parent, label, text, act) {
  const made = element("button", "", parent);
  made.type = "button";
  made.textContent = text;
  made.title = label;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", (event) => { event.stopPropagation(); act(); });
  return made;
}

function build(root) {
  root.replaceChildren();
  const view = { item: null, scale: 1, x: 0, y: 0, fitted: true, pointers: new Map(), opacity: {} };
  const stage = element("div", "viewer", root);
  stage.tabIndex = 0;
  stage.setAttribute("role", "group");
  const world = element("div", "world", stage);
  view.base = element("img", "", world);
  view.base.draggable = false;
  view.layers = element("div", "", world);
  view.svg = document.createElementNS(SVG, "svg");
  world.appendChild(view.svg);
  view.tags = element("div", "", stage);
  view.said = element("div", "said", stage);
  view.lease = element("div", "lease", stage);
  view.lease.setAttribute("role", "status");
  view.lease.hidden = true;
  view.clock = setInterval(() => tell(view), 1000);
  view.legend = element("div", "legend", stage);
  const bar = element("div", "bar", stage);
  bar.addEventListener("pointerdown", (event) => event.stopPropagation());
  bar.addEventListener("dblclick", (event) => event.stopPropagation());
  view.label = element("label", "", bar);
  view.label.append("Overlay");
  view.slider = element("input", "", view.label);
  Object.assign(view.slider, { type: "range", min: 10, max: 100, step: 5 });
  view.slider.setAttribute("aria-label", "Overlay opacity in percent");
  view.slider.addEventListener("input", () => { view.opacity = Number(view.slider.value) / 100; shade(view); });
  button(bar, "Zoom out (minus key)", "−", () => zoom(view, 1 / 1.4));
  button(bar, "Zoom in (plus key)", "+", () => zoom(view, 1.4));
  button(bar, "One picture pixel to one screen pixel (key 1)", "1:1", () => actual(view));
  button(bar, "Fit the whole picture (F key)", "Fit", () => fit(view));
  view.zoomed = element("output", "", bar);
  Object.assign(view, { root, stage, world });

  view.base.addEventListener("error", () => {
    view.said.hidden = false;
    view.said.textContent = "The picture cannot be shown. Its file is missing, or has changed since it was filed.";
  });
  view.base.addEventListener("load", () => { view.said.hidden = true; });
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const at = stage.getBoundingClientRect();
    zoom(view, Math.exp(-event.deltaY * 0.0016), event.clientX - at.left, event.clientY - at.top);
  }, { passive: false });
  stage.addEventListener("pointerdown", (event) => {
    if (event.button > 1) return;
    stage.setPointerCapture(event.pointerId);
    view.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    stage.classList.add("dragging");
  });
  stage.addEventListener("pointermove", (event) => {
    const before = view.pointers.get(event.pointerId);
    if (!before) return;
    const others = [...view.pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    const now = [event.clientX, event.clientY];
    view.pointers.set(event.pointerId, now);
    if (others.length) {
      const spread = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
      const at = stage.getBoundingClientRect();
      zoom(view, spread(now, others[0]) / spread(before, others[0]), others[0][0] - at.left, others[0][1] - at.top);
    } else {
      view.x += now[0] - before[0];
      view.y += now[1] - before[1];
      view.fitted = false;
      place(view);
    }
  });
  const drop = (event) => { view.pointers.delete(event.pointerId); if (!view.pointers.size) stage.classList.remove("dragging"); };
  stage.addEventListener("pointerup", drop);
  stage.addEventListener("pointercancel", drop);
  stage.addEventListener("dblclick", () => (view.fitted ? actual(view) : fit(view)));
  stage.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    view.x += step[0]; view.y += step[1]; view.fitted = false;
    place(view);
  });
  view.keys = (event) => {
    const target = event.composedPath()[0];
    if (event.ctrlKey || event.metaKey || event.altKey || (target.matches && target.matches(TYPING))) return;
    const act = { f: () => fit(view), F: () => fit(view), 1: () => actual(view), "+": () => zoom(view, 1.4), "=": () => zoom(view, 1.4), "-": () => zoom(view, 1 / 1.4) }[event.key];
    if (!act || document.querySelector("[role=dialog]")) return;
    event.preventDefault();
    act();
  };
  window.addEventListener("keydown", view.keys);
  view.peek = (event) => peek(view, event);
  for (const name of ["keydown", "keyup"]) window.addEventListener(name, view.peek, true);
  view.sizes = new ResizeObserver(() => { if (view.fitted) fit(view); else place(view); });
  view.sizes.observe(stage);
  return view;
}

// G and H: a tap is passed on and switches the layer for good; while the key is held the layer only shows.
const PEEKS = { g: "heatmap", h: "where" };
const TAP = 300; // milliseconds

function peek(view, event) {
  const id = PEEKS[event.key.toLowerCase()];
  const target = event.composedPath()[0];
  const typing = target.matches && target.matches(TYPING);
  if (!id || !event.isTrusted || event.ctrlKey || event.metaKey || event.altKey || typing || document.querySelector("[role=dialog]")) return;
  const layer = view.data && view.data.layers.find((one) => one.id === id && one.peek);
  const made = layer && [...view.layers.children].find((one) => one.dataset.id === id);
  if (!made) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (event.type === "keydown") {
    if (view.peeking !== undefined) return;
    view.peeking = performance.now();
    if (!made.src) made.src = layer.url;
    made.dataset.shown = layer.shown ? "no" : "yes";
    shade(view);
  } else if (view.peeking !== undefined) {
    const tapped = performance.now() - view.peeking < TAP;
    view.peeking = undefined;
    if (tapped) {
      const { key, code, keyCode } = event;
      const again = { key, code, keyCode, which: keyCode, bubbles: true, cancelable: true, composed: true };
      target.dispatchEvent(new KeyboardEvent("keydown", again));
      target.dispatchEvent(new KeyboardEvent("keyup", again));
    } else {
      made.dataset.shown = layer.shown ? "yes" : "no";
      shade(view);
    }
  }
}

// The last minute of a lease is told; afterwards the part may be somebody else's.
function tell(view) {
  const left = view.ends === undefined ? Infinity : Math.ceil((view.ends - performance.now()) / 1000);
  view.lease.hidden = left > 60;
  if (left > 60) return;
  view.lease.textContent = left > 0
    ? `Yours for ${left} s more`
    : "Your time with this part is up: it is in the queue again. Any switch below takes the next one.";
}

function bounds(view) {
  const { clientWidth: w, clientHeight: h } = view.stage;
  return { w, h, fitting: Math.min(w / view.data.width, h / view.data.height) };
}

function fit(view) {
  const { w, h, fitting } = bounds(view);
  if (!w || !h) return;
  view.scale = Math.min(fitting, MOST);
  view.x = (w - view.data.width * view.scale) / 2;
  view.y = (h - view.data.height * view.scale) / 2;
  view.fitted = true;
  place(view);
}

function actual(view) {
  const ratio = 1 / (window.devicePixelRatio || 1);
  zoom(view, ratio / view.scale);
}

function zoom(view, factor, atX, atY) {
  const { w, h, fitting } = bounds(view);
  const px = atX ?? w / 2, py = atY ?? h / 2;
  const wanted = Math.min(Math.max(view.scale * factor, Math.min(fitting, 1) * 0.5), Math.max(MOST, fitting));
  view.x = px - (px - view.x) * (wanted / view.scale);
  view.y = py - (py - view.y) * (wanted / view.scale);
  view.scale = wanted;
  view.fitted = false;
  place(view);
}

function place(view) {
  const { data, scale, world } = view;
  const { w, h } = bounds(view);
  const margin = 80; // a part of the picture always stays in sight
  view.x = Math.min(Math.max(view.x, margin - data.width * scale), w - margin);
  view.y = Math.min(Math.max(view.y, margin - data.height * scale), h - margin);
  world.style.width = `${data.width * scale}px`;
  world.style.height = `${data.height * scale}px`;
  world.style.transform = `translate(${view.x}px, ${view.y}px)`;
  view.zoomed.textContent = `${Math.round(scale * (window.devicePixelRatio || 1) * 100)}%`;
  view.base.classList.toggle("crisp", scale > 3);
  const sharper = data.full && !view.sharp && data.width * scale > data.loaded_width * 1.25;
  if (sharper) { // the whole picture is asked for only when somebody looks closer than the preview shows
    view.sharp = true;
    const full = new Image();
    full.onload = () => { if (view.data.full === data.full) view.base.src = data.full; };
    full.src = data.full;
  }
  tag(view);
}

function tag(view) {
  [...view.tags.children].forEach((made, i) => {
    const region = view.data.regions[i];
    const left = view.x + region.x * view.scale, top = view.y + region.y * view.scale;
    made.style.left = `${Math.max(left, 2)}px`;
    made.style.top = top > 24 ? `${top - 23}px` : `${top + region.height * view.scale + 4}px`;
  });
}

function shade(view) {
  for (const layer of view.layers.children) layer.style.opacity = layer.dataset.shown === "yes" ? view.opacity : 0;
}

function draw(view) {
  const { data } = view;
  view.stage.setAttribute("aria-label", data.alt);
  view.stage.style.setProperty("--viewer-height", data.height_css);
  view.base.alt = data.alt;
  const have = new Map([...view.layers.children].map((layer) => [layer.dataset.id, layer]));
  for (const layer of data.layers) {
    let made = have.get(layer.id);
    have.delete(layer.id);
    if (!made) {
      made = element("img", "layer", view.layers);
      Object.assign(made.dataset, { id: layer.id });
      made.alt = "";
      made.draggable = false;
    }
    if (layer.shown && !made.src) made.src = layer.url;
    made.dataset.shown = layer.shown ? "yes" : "no";
  }
  have.forEach((made) => made.remove());
  shade(view);
  const shown = data.layers.filter((layer) => layer.shown);
  view.label.hidden = shown.length === 0;
  view.slider.value = Math.round(view.opacity * 100);
  view.legend.hidden = shown.length === 0;
  view.legend.replaceChildren();
  for (const layer of shown) {
    const row = element("div", "", view.legend);
    element("i", "", row).style.background = `linear-gradient(90deg, ${layer.ramp.join(", ")})`;
    element("span", "", row).textContent = layer.title;
  }
  view.svg.setAttribute("viewBox", `0 0 ${data.width} ${data.height}`);
  view.svg.setAttribute("preserveAspectRatio", "none");
  view.svg.replaceChildren();
  view.tags.replaceChildren();
  for (const region of data.regions) {
    for (const name of ["halo", "line"]) {
      const rect = document.createElementNS(SVG, "rect");
      rect.setAttribute("class", name);
      for (const side of ["x", "y", "width", "height"]) rect.setAttribute(side, region[side]);
      if (name === "line") {
        rect.setAttribute("stroke", region.colour);
        if (region.dashed) rect.setAttribute("stroke-dasharray", "7 4");
      }
      view.svg.appendChild(rect);
    }
    const made = element("div", "tag", view.tags);
    made.style.borderColor = region.colour;
    made.textContent = region.label;
  }
  for (const url of data.prefetch) new Image().src = url;
}

export default function (component) {
  const { data, parentElement } = component;
  let view = views.get(parentElement);
  if (!view || !parentElement.contains(view.stage)) {
    view = build(parentElement.querySelector(".viewer-root") || parentElement);
    views.set(parentElement, view);
  }
  const fresh = view.item !== data.item;
  view.data = data;
  if (fresh) {
    view.item = data.item;
    view.opacity = data.opacity;
    view.sharp = false;
    view.layers.replaceChildren();
    view.said.hidden = true;
    view.base.src = data.url;
  }
  view.ends = data.lease_s ? performance.now() + data.lease_s * 1000 : undefined;
  tell(view);
  draw(view);
  if (fresh) fit(view); else place(view);
  return () => {
    window.removeEventListener("keydown", view.keys);
    for (const name of ["keydown", "keyup"]) window.removeEventListener(name, view.peek, true);
    clearInterval(view.clock);
    view.sizes.disconnect();
    views.delete(parentElement);
  };
}
