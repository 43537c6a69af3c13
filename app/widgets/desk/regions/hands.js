// Mouse, pen and fingers. One mode: a drag on empty ground draws, inside a region moves it, at a grip resizes it; with
// Shift it always draws. Two fingers, the middle button, or Space and a drag move the picture.
const GRIP = 13; // screen pixels that a grip shows; more of it answers
const REACH = { mouse: 13, pen: 16, touch: 26 };
const SLOP = { mouse: 5, pen: 8, touch: 14 }; // around a thin region
const MEANT = { mouse: 3, pen: 5, touch: 9 }; // a shorter drag is a click
const LEAST = 1; // pixels of the picture
const CURSORS = { nw: "nwse-resize", se: "nwse-resize", ne: "nesw-resize", sw: "nesw-resize", n: "ns-resize", s: "ns-resize", e: "ew-resize", w: "ew-resize" };

function boxOnStage(view, region) {
  return [view.x + region.x * view.scale, view.y + region.y * view.scale, region.width * view.scale, region.height * view.scale];
}

// Grips of a small region stand off, so that it can still be seen and moved.
function gripsOf(view, region) {
  const [left, top, wide, high] = boxOnStage(view, region);
  const off = { x: wide < 3 * GRIP ? GRIP * 0.7 : 0, y: high < 3 * GRIP ? GRIP * 0.7 : 0 };
  const xs = { w: left - off.x, "": left + wide / 2, e: left + wide + off.x };
  const ys = { n: top - off.y, "": top + high / 2, s: top + high + off.y };
  const found = [];
  for (const [v, y] of Object.entries(ys)) {
    for (const [h, x] of Object.entries(xs)) {
      if (v + h && (v !== "" || high >= 4 * GRIP || off.x) && (h !== "" || wide >= 4 * GRIP || off.y)) found.push({ sides: v + h, x, y });
    }
  }
  return found;
}

function gripAt(view, x, y, kind) {
  const region = chosen(view);
  if (!region) return null;
  const [left, top, wide, high] = boxOnStage(view, region);
  const reach = REACH[kind] ?? REACH.mouse;
  const near = gripsOf(view, region)
    .map((grip) => ({ ...grip, far: Math.max(Math.abs(grip.x - x), Math.abs(grip.y - y)) }))
    .filter((grip) => grip.far <= reach)
    .sort((a, b) => a.far - b.far || b.sides.length - a.sides.length)[0];
  if (near) {
    const inside = x > left && x < left + wide && y > top && y < top + high;
    return inside && (wide < 3 * GRIP || high < 3 * GRIP) ? null : near.sides; // a small one is moved from inside
  }
  const edge = Math.min(reach, 8);
  if (x < left - edge || x > left + wide + edge || y < top - edge || y > top + high + edge) return null;
  if (wide >= 3 * GRIP && high >= 3 * GRIP) { // the whole edge answers, not only its grip
    if (Math.abs(y - top) <= edge) return "n";
    if (Math.abs(y - top - high) <= edge) return "s";
    if (Math.abs(x - left) <= edge) return "w";
    if (Math.abs(x - left - wide) <= edge) return "e";
  }
  return null;
}

// All regions under a point, the smallest first; thin ones answer a little beside themselves.
function regionsAt(view, x, y, kind) {
  const slop = SLOP[kind] ?? SLOP.mouse;
  return view.regions
    .filter((region) => {
      const [left, top, wide, high] = boxOnStage(view, region);
      const h = wide < 4 * slop ? slop : 0, v = high < 4 * slop ? slop : 0;
      return x >= left - h && x <= left + wide + h && y >= top - v && y <= top + high + v;
    })
    .sort((a, b) => a.width * a.height - b.width * b.height);
}

const spot = (view, event) => {
  const at = view.stage.getBoundingClientRect();
  return [event.clientX - at.left, event.clientY - at.top];
};

function grasp(view, event) {
  if (event.button > 1) return;
  view.stage.focus({ preventScroll: true });
  flush(view);
  const at = spot(view, event);
  view.stage.setPointerCapture(event.pointerId);
  view.pointers.set(event.pointerId, at);
  view.released = false;
  if (view.pointers.size > 1) { // a second finger: what the first began was no drawing
    view.act = { kind: "pinch" };
    view.live = null;
    draw(view);
    return;
  }
  const kind = event.pointerType;
  const start = toPicture(view, ...at);
  if (event.button === 1 || view.space) {
    view.act = { kind: "pan" };
    view.stage.dataset.hand = "closed";
    event.preventDefault();
    return;
  }
  const over = event.shiftKey ? [] : regionsAt(view, ...at, kind);
  const sides = event.shiftKey ? null : gripAt(view, ...at, kind);
  const mine = over.find((one) => one.key === view.selected) ?? over[0];
  const shared = { at, start, over, pointer: kind, live: false };
  if (sides) view.act = { ...shared, kind: "resize", sides, from: chosen(view) };
  else if (mine) view.act = { ...shared, kind: "move", from: mine };
  else view.act = { ...shared, kind: "draw" };
}

function drag(view, event) {
  const at = spot(view, event);
  const before = view.pointers.get(event.pointerId);
  if (!before) return hover(view, event, at);
  view.pointers.set(event.pointerId, at);
  const act = view.act;
  if (!act) return;
  if (act.kind === "pan") return pan(view, at[0] - before[0], at[1] - before[1]);
  if (act.kind === "pinch") return pinch(view, event.pointerId, before, at);
  if (!act.live && Math.hypot(at[0] - act.at[0], at[1] - act.at[1]) < (MEANT[act.pointer] ?? MEANT.mouse)) return;
  act.live = true;
  view.live = shaped(view, act, toPicture(view, ...at));
  if (act.from && view.selected !== act.from.key) {
    view.selected = act.from.key;
    refresh(view);
  }
  draw(view);
}

function pinch(view, id, before, at) {
  const other = [...view.pointers].find(([one]) => one !== id)?.[1];
  if (!other) return;
  const spread = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
  const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const [from, to] = [middle(before, other), middle(at, other)];
  view.x += to[0] - from[0];
  view.y += to[1] - from[1];
  zoom(view, spread(at, other) / spread(before, other), ...to);
}

// Whole pixels for every side that moves; a side that does not move keeps its exact place.
function shaped(view, act, [x, y]) {
  const { width, height } = view.data;
  const across = (value) => within(Math.round(value), 0, width), down = (value) => within(Math.round(value), 0, height);
  if (act.kind === "draw") {
    const [x1, x2] = stretch(across(act.start[0]), across(x), width);
    const [y1, y2] = stretch(down(act.start[1]), down(y), height);
    return fresh(view, [x1, y1, x2 - x1, y2 - y1]);
  }
  const { from } = act;
  const dx = Math.round(x - act.start[0]), dy = Math.round(y - act.start[1]);
  if (act.kind === "move") {
    const left = within(from.x + dx, 0, width - from.width), top = within(from.y + dy, 0, height - from.height);
    return reshaped(from, [left, top, from.width, from.height]);
  }
  let sides = [from.x, from.y, from.x + from.width, from.y + from.height];
  if (act.sides.includes("w")) sides[0] = across(from.x + x - act.start[0]);
  if (act.sides.includes("e")) sides[2] = across(from.x + from.width + x - act.start[0]);
  if (act.sides.includes("n")) sides[1] = down(from.y + y - act.start[1]);
  if (act.sides.includes("s")) sides[3] = down(from.y + from.height + y - act.start[1]);
  const [x1, x2] = stretch(sides[0], sides[2], width), [y1, y2] = stretch(sides[1], sides[3], height);
  return reshaped(from, [x1, y1, x2 - x1, y2 - y1]);
}

// Two sides in order and at least a pixel apart.
function stretch(a, b, most) {
  const [low, high] = a < b ? [a, b] : [b, a];
  if (high - low >= LEAST) return [low, high];
  return low + LEAST <= most ? [low, low + LEAST] : [most - LEAST, most];
}

function fresh(view, [x, y, width, height]) {
  const key = (view.fresh ??= newKey());
  return { key, x, y, width, height, class: view.next, name: view.next, severity: null, score: null, rings: null, rle: false, by: "you" };
}

// Random and long enough never to meet another; randomUUID is not there on a plain http address.
const newKey = () => "p-" + [...crypto.getRandomValues(new Uint8Array(12))].map((one) => one.toString(16).padStart(2, "0")).join("");

function release(view, event) {
  if (!view.pointers.has(event.pointerId)) return;
  drag(view, event);
  view.pointers.delete(event.pointerId);
  const { act, live } = view;
  view.stage.dataset.hand = view.space ? "open" : "";
  if (act?.kind === "pinch") {
    if (!view.pointers.size) view.act = null;
    return;
  }
  view.act = view.live = null;
  if (!act || act.kind === "pan") return draw(view);
  if (act.live && live) {
    view.fresh = null;
    put(view, live);
    return draw(view);
  }
  const at = act.over.findIndex((one) => one.key === view.selected); // a click again reaches what lies below
  const next = act.kind === "resize" ? chosen(view) : act.over[(at + 1) % (act.over.length || 1)];
  view.selected = next?.key ?? null;
  if (next?.class) view.next = next.class;
  draw(view);
  refresh(view);
}

function cancel(view, event) {
  view.pointers.delete(event.pointerId);
  view.act = view.live = null;
  draw(view);
}

function hover(view, event, at) {
  const sides = event.shiftKey ? null : gripAt(view, ...at, event.pointerType);
  const over = !sides && !event.shiftKey && regionsAt(view, ...at, event.pointerType).length;
  view.stage.style.cursor = view.space ? "" : sides ? CURSORS[sides] : over ? "move" : "crosshair";
}

function turnWheel(view, event) {
  event.preventDefault();
  const unit = event.deltaMode === 1 ? 33 : 1; // lines or pixels
  if (event.shiftKey) return pan(view, -(event.deltaX || event.deltaY) * unit, 0);
  zoom(view, Math.exp(-event.deltaY * unit * (event.ctrlKey ? 0.01 : 0.0016)), ...spot(view, event));
}
