// The daily editor: picture, regions, table and legend in one component. Everything happens here and at once; Python
// hears of each finished step. The state belongs to one item and ends with it.
const views = new WeakMap();

const HINTS = [
  ["drag", "draw, move, resize"], ["⇧ drag", "draw on top"], ["Tab", "next region"], ["Del", "remove"],
  ["← ↑ → ↓", "nudge (⇧ ten)"], ["Ctrl Z", "undo (⇧ redo)"], ["wheel + −", "zoom"], ["Space drag", "move picture"],
  ["F · 0", "fit, fill · 1:1"], ["Enter", "save, next"],
];

function control(parent, label, text, act, name = "") {
  const made = tableNode("button", name, parent, text);
  made.type = "button";
  made.title = label;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", (event) => { event.stopPropagation(); act(); });
  return made;
}

function build(root) {
  root.replaceChildren();
  const view = { item: null, regions: [], selected: null, past: [], future: [], pointers: new Map(), others: {}, crops: [], scale: 1, x: 0, y: 0, preview: new Image() };
  const board = tableNode("div", "editor", root);
  const left = tableNode("div", "left", board);
  view.around = tableNode("div", "around", left);
  view.map = tableNode("canvas", "map", view.around);
  view.stage = tableNode("div", "stage", view.around);
  view.stage.tabIndex = 0;
  view.stage.setAttribute("role", "application");
  view.paper = tableNode("canvas", "paper", view.stage);
  view.ink = tableNode("canvas", "ink", view.stage);
  view.missing = tableNode("div", "missing", view.stage);
  view.missing.hidden = true;
  const bar = tableNode("div", "bar", left);
  const back = () => view.stage.focus({ preventScroll: true });
  const tool = (label, text, act) => control(bar, label, text, () => { act(); back(); });
  view.undo = tool("Undo (Ctrl Z)", "↶", () => undo(view));
  view.redo = tool("Redo (Ctrl Shift Z)", "↷", () => redo(view));
  view.offered = tableNode("div", "offered", bar);
  view.offered.setAttribute("role", "status");
  view.offered.hidden = true;
  view.offer = tableNode("span", "", view.offered);
  control(view.offered, "Discard the draft", "Discard", () => { discard(view); back(); }, "worded");
  control(view.offered, "Keep the draft", "Keep", () => { view.offered.hidden = true; back(); }, "worded");
  view.said = tableNode("div", "said", bar);
  view.said.setAttribute("role", "status");
  tool("Zoom out (minus key)", "−", () => zoom(view, 1 / 1.4));
  view.zoomed = tableNode("output", "", bar);
  tool("Zoom in (plus key)", "+", () => zoom(view, 1.4));
  tool("One picture pixel to one screen pixel (key 0)", "1:1", () => zoom(view, 1 / screenRatio() / view.scale));
  tool("Fit the whole picture, or fill the stage (F key)", "Fit", () => fit(view, view.fitted === "whole" ? "filled" : "whole"));
  const side = tableNode("div", "side", board);
  view.classes = tableNode("div", "chips", side);
  view.severities = tableNode("div", "chips", side);
  view.copies = tableNode("div", "copies", side);
  view.table = tableNode("div", "rows", side);
  view.empty = tableNode("p", "empty", side, "No region yet. Drag on the picture to draw one.");
  const legend = tableNode("div", "legend", side);
  for (const [key, what] of HINTS) {
    const line = tableNode("div", "", legend);
    tableNode("kbd", "", line, key);
    tableNode("span", "", line, what);
  }
  listen(view);
  return Object.assign(view, { root, board });
}

function listen(view) {
  const { stage, map } = view;
  stage.addEventListener("pointerdown", (event) => grasp(view, event));
  stage.addEventListener("pointermove", (event) => drag(view, event));
  stage.addEventListener("pointerup", (event) => release(view, event));
  stage.addEventListener("pointercancel", (event) => cancel(view, event));
  stage.addEventListener("wheel", (event) => turnWheel(view, event), { passive: false });
  map.addEventListener("pointerdown", (event) => { event.stopPropagation(); map.setPointerCapture(event.pointerId); goByMap(view, event); });
  map.addEventListener("pointermove", (event) => { if (map.hasPointerCapture(event.pointerId)) goByMap(view, event); });
  view.preview.addEventListener("load", () => { view.missing.hidden = true; view.stale = true; stage.dataset.ready = "yes"; sharpen(view); draw(view); });
  view.preview.addEventListener("error", () => {
    view.missing.hidden = false;
    view.missing.textContent = "The picture cannot be shown. Its file is missing, or has changed since it was filed.";
  });
  const heard = {
    keydown: (event) => onKey(view, event),
    keyup: (event) => offKey(view, event),
    blur: () => { view.space = false; stage.dataset.hand = ""; },
    pointerdown: () => flush(view), // before a click that may save
  };
  for (const [name, act] of Object.entries(heard)) window.addEventListener(name, act, true);
  const sizes = new ResizeObserver(() => { if (view.data) { placeMap(view); if (view.fitted) fit(view, view.fitted); else moved(view); } });
  sizes.observe(stage);
  sizes.observe(view.around);
  view.end = () => {
    flush(view);
    for (const [name, act] of Object.entries(heard)) window.removeEventListener(name, act, true);
    sizes.disconnect();
    clearTimeout(view.quiet);
    clearTimeout(view.looking);
  };
}

function say(view, words, milliseconds = 5000) {
  view.offered.hidden = true; // undo still brings back what was there before the draft
  view.said.textContent = words;
  clearTimeout(view.quiet);
  view.quiet = setTimeout(() => { view.said.textContent = ""; tellSelection(view); }, milliseconds);
  view.speaking = performance.now() + milliseconds;
}

function offer(view, words) {
  view.offer.textContent = words;
  view.offered.hidden = false;
}

function tellSelection(view) {
  if (view.speaking > performance.now()) return;
  const region = view.live ?? chosen(view);
  view.said.textContent = region
    ? `${wordOf(view, region)} · ${Math.round(region.width)} × ${Math.round(region.height)} px at ${Math.round(region.x)}, ${Math.round(region.y)}`
    : counted(view.regions.length);
}

// One frame for all that changed since the last.
function draw(view) {
  view.frame ??= requestAnimationFrame(() => {
    view.frame = undefined;
    if (!view.stage.isConnected || !view.data) return;
    if (view.stale) paintPicture(view);
    view.stale = false;
    paintRegions(view);
    paintMap(view);
    tellSelection(view);
  });
}

function paintRegions(view) {
  const ratio = screenRatio();
  const { w, h } = room(view);
  const { ink } = view;
  if (ink.width !== Math.round(w * ratio) || ink.height !== Math.round(h * ratio)) {
    ink.width = Math.round(w * ratio);
    ink.height = Math.round(h * ratio);
  }
  const pen = ink.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, w, h);
  const shown = view.live ? [...view.regions.filter((one) => one.key !== view.live.key), view.live] : view.regions;
  const picked = view.live ?? chosen(view);
  const crowded = shown.length > 60;
  for (const region of shown) if (region !== picked) paintRegion(view, pen, region, w, h, false, crowded);
  if (picked) {
    paintRegion(view, pen, picked, w, h, true, false);
    if (!view.live) for (const grip of gripsOf(view, picked)) paintGrip(pen, grip);
  }
  view.stage.dataset.shown = shown.length;
}

function paintRegion(view, pen, region, w, h, picked, crowded) {
  const [left, top, wide, high] = boxOnStage(view, region);
  if (left > w || top > h || left + wide < 0 || top + high < 0) return;
  const colour = colourOf(view, region);
  if (region.rings) {
    pen.beginPath();
    for (const ring of region.rings) {
      for (let i = 0; i + 1 < ring.length; i += 2) pen[i ? "lineTo" : "moveTo"](view.x + ring[i] * view.scale, view.y + ring[i + 1] * view.scale);
      pen.closePath();
    }
    pen.fillStyle = `${colour}44`;
    pen.fill();
    pen.strokeStyle = colour;
    pen.lineWidth = 1;
    pen.stroke();
  }
  pen.setLineDash([]);
  pen.strokeStyle = picked ? "#fff" : "rgba(0,0,0,.75)";
  pen.lineWidth = picked ? 6 : 4.5;
  pen.strokeRect(left, top, wide, high);
  pen.setLineDash(region.score === null ? [] : [7, 4]); // dashed: the model's, as on the queue
  pen.strokeStyle = colour;
  pen.lineWidth = picked ? 3 : 2;
  pen.strokeRect(left, top, wide, high);
  pen.setLineDash([]);
  if (crowded || (!picked && wide < 24 && high < 24)) return;
  const words = `${wordOf(view, region)}${region.severity ? ` · ${region.severity}` : ""}${region.score === null ? "" : ` ${scored(region)}`}`;
  pen.font = view.font;
  const long = pen.measureText(words).width + 12;
  const x = within(left, 0, w - long), y = top > 30 ? top - 26 : Math.min(top + high + 7, h - 19);
  pen.fillStyle = "rgba(8,10,12,.88)";
  pen.fillRect(x, y, long, 19);
  pen.fillStyle = colour;
  pen.fillRect(x, y, 4, 19);
  pen.fillStyle = "#fff";
  pen.fillText(words, x + 8, y + 13.5);
}

function paintGrip(pen, grip) {
  pen.fillStyle = "#fff";
  pen.strokeStyle = "#12161b";
  pen.lineWidth = 2;
  pen.beginPath();
  pen.rect(grip.x - GRIP / 2, grip.y - GRIP / 2, GRIP, GRIP);
  pen.fill();
  pen.stroke();
}

// What stands beside the picture, after a change of regions, selection or next class.
function refresh(view) {
  const { data, regions, selected } = view;
  view.stage.dataset.selected = selected ?? "";
  view.undo.disabled = !view.past.length;
  view.redo.disabled = !view.future.length;
  view.empty.hidden = regions.length > 0;
  const back = () => view.stage.focus({ preventScroll: true });
  const acts = {
    select: (key) => { select(view, key); back(); },
    remove: (key) => { remove(view, key); back(); },
    change: (key, change) => {
      view.selected = key;
      if ("class" in change) setClass(view, change.class);
      else setSeverity(view, change.severity);
      back();
    },
  };
  fillTable(view.table, { regions, classes: data.classes, unmapped: data.unmapped, selected, acts });
  const region = chosen(view);
  for (const chip of view.classes.children) chip.setAttribute("aria-pressed", chip.dataset.id === (region ? region.class : view.next));
  const allowed = region && (classOf(view, region.class)?.severities ?? SEVERITIES.slice(1));
  for (const chip of view.severities.children) {
    const severity = chip.dataset.id || null;
    chip.disabled = !region || Boolean(severity && !allowed.includes(severity));
    chip.setAttribute("aria-pressed", Boolean(region) && region.severity === severity);
  }
}

function open(view, data) {
  flush(view);
  Object.assign(view, {
    item: data.item, data, regions: data.regions, selected: null, next: data.next, past: [], future: [], live: null, act: null,
    crops: [], need: 0, fresh: null, merge: "", released: false, space: false, speaking: 0, others: {},
  });
  view.pointers.clear();
  view.offered.hidden = true;
  view.stage.setAttribute("aria-label", data.alt);
  for (const name of ["ready", "sharp"]) view.stage.dataset[name] = "";
  view.font = `12.5px ${getComputedStyle(view.board).fontFamily}`;
  view.classes.replaceChildren();
  data.classes.forEach((one, i) => {
    const chip = control(view.classes, `${one.label}${i < 9 ? ` (key ${i + 1})` : ""}: the class of the region or of the next one`, "", () => { setClass(view, one.id); view.stage.focus({ preventScroll: true }); });
    chip.dataset.id = one.id;
    chip.style.setProperty("--colour", one.colour);
    if (i < 9) tableNode("kbd", "", chip, String(i + 1));
    tableNode("span", "", chip, one.label);
  });
  view.severities.replaceChildren();
  [[1, "minor"], [2, "major"], [3, "critical"], [0, ""]].forEach(([digit, id]) => {
    const chip = control(view.severities, `${id || "severity not said"} (Shift ${digit})`, "", () => { setSeverity(view, id || null); view.stage.focus({ preventScroll: true }); });
    chip.dataset.id = id;
    tableNode("kbd", "", chip, `⇧${digit}`);
    tableNode("span", "", chip, id || "not said");
  });
  view.copies.replaceChildren();
  for (const source of data.sources) {
    const made = control(view.copies, `Replace what is drawn by ${counted(source.regions.length)} of ${source.title} (${source.by}); undo brings yours back`, "", () => { copyFrom(view, source); view.stage.focus({ preventScroll: true }); }, "worded");
    made.textContent = `Copy from ${source.title}`;
  }
  placeMap(view);
  restore(view);
  view.preview.src = data.url;
  fit(view, isStrip(view) ? "filled" : "whole");
  refresh(view);
  if (document.activeElement === document.body || document.activeElement === null) view.stage.focus({ preventScroll: true });
}

export default function (component) {
  const { data, parentElement } = component;
  let view = views.get(parentElement);
  if (!view || !parentElement.contains(view.board)) {
    view = build(parentElement.querySelector(".editor-root") || parentElement);
    views.set(parentElement, view);
  }
  view.tell = component.setStateValue;
  view.board.style.setProperty("--editor-height", data.height_css); // a notice above it takes some of the room
  if (view.item !== data.item) open(view, data);
  else view.data = { ...view.data, others: data.others, saved: data.saved, session: data.session };
  return () => {
    view.end();
    views.delete(parentElement);
  };
}
