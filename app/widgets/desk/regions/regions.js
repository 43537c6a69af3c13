// The regions of one picture: what may be done to them, undo and redo. A region is never changed in place, so that a
// step back is the list as it was.
const STEPS = 200;
const AGAIN = 900; // milliseconds in which the same small move counts as one step
const SEND = 200; // milliseconds that a run of small moves may wait before Python hears of it

const classOf = (view, id) => view.data.classes.find((one) => one.id === id);
const colourOf = (view, region) => classOf(view, region.class)?.colour ?? view.data.unmapped;
const wordOf = (view, region) => classOf(view, region.class)?.label ?? `${region.name || "no class"} (not mapped)`;
const chosen = (view) => view.regions.find((one) => one.key === view.selected);

// A region as a person leaves it: its mask follows its box, and the model's score is no longer true of it.
function reshaped(region, box) {
  const [x, y, width, height] = box;
  if (x === region.x && y === region.y && width === region.width && height === region.height) return region;
  const across = width / region.width, down = height / region.height;
  const follow = (value, i) => (i % 2 ? y + (value - region.y) * down : x + (value - region.x) * across);
  const rings = region.rings && region.rings.map((ring) => ring.map(follow));
  return { ...region, x, y, width, height, rings, rle: false, score: null, by: "you" };
}

function named(view, region, id) {
  if (region.class === id) return region;
  const allowed = classOf(view, id).severities;
  const severity = allowed.includes(region.severity) ? region.severity : null;
  return { ...region, class: id, name: id, severity, score: null, by: "you" };
}

function step(view, regions, selected, merge = "") {
  if (regions === view.regions && selected === view.selected) return;
  const now = performance.now();
  const changed = regions !== view.regions;
  const goesOn = merge && view.merge === merge && now - view.mergedAt < AGAIN;
  if (changed && !goesOn) {
    view.past.push({ regions: view.regions, selected: view.selected });
    if (view.past.length > STEPS) view.past.shift();
  }
  if (changed) {
    view.future = [];
    Object.assign(view, { merge, mergedAt: now });
  }
  view.regions = regions;
  view.selected = selected;
  if (changed) keep(view, Boolean(merge));
  draw(view);
  refresh(view);
}

function put(view, region, merge = "") {
  const there = view.regions.some((one) => one.key === region.key);
  const regions = there ? view.regions.map((one) => (one.key === region.key ? region : one)) : [...view.regions, region];
  step(view, regions, region.key, merge);
}

function remove(view, key) {
  const at = view.regions.findIndex((one) => one.key === key);
  if (at < 0) return;
  const regions = view.regions.filter((one) => one.key !== key);
  step(view, regions, key === view.selected ? null : view.selected);
}

function travel(view, from, to) {
  const found = from.pop();
  if (!found) return say(view, from === view.past ? "Nothing to undo." : "Nothing to redo.");
  to.push({ regions: view.regions, selected: view.selected });
  view.merge = "";
  view.regions = found.regions;
  view.selected = found.regions.some((one) => one.key === found.selected) ? found.selected : null;
  keep(view);
  draw(view);
  refresh(view);
}

const undo = (view) => travel(view, view.past, view.future);
const redo = (view) => travel(view, view.future, view.past);

function select(view, key) {
  view.selected = key;
  view.released = false;
  const region = chosen(view);
  if (region?.class) view.next = region.class;
  if (region) show(view, region);
  draw(view);
  refresh(view);
}

function selectNext(view, by) {
  if (!view.regions.length) return false;
  const at = view.regions.findIndex((one) => one.key === view.selected);
  const next = at < 0 ? (by > 0 ? 0 : view.regions.length - 1) : (at + by + view.regions.length) % view.regions.length;
  select(view, view.regions[next].key);
  return true;
}

function setClass(view, id) {
  view.next = id;
  const region = chosen(view);
  if (region) put(view, named(view, region, id));
  refresh(view);
}

function setSeverity(view, severity) {
  const region = chosen(view);
  if (!region) return say(view, "Choose a region first: Tab, or click one.");
  const kind = classOf(view, region.class);
  if (severity && kind && !kind.severities.includes(severity)) {
    return say(view, `${kind.label} is never ${severity}: ${kind.severities.join(" or ")}.`);
  }
  if (region.severity !== severity) put(view, { ...region, severity, score: null, by: "you" });
}

function nudge(view, dx, dy) {
  const region = chosen(view);
  const x = within(region.x + dx, 0, view.data.width - region.width);
  const y = within(region.y + dy, 0, view.data.height - region.height);
  put(view, reshaped(region, [x, y, region.width, region.height]), `nudge ${region.key}`);
}

function copyFrom(view, source) {
  step(view, source.regions, null);
  say(view, `${counted(source.regions.length)} copied from ${source.title}. Ctrl Z brings yours back.`);
}

const counted = (number) => `${number} ${number === 1 ? "region" : "regions"}`;

// What is on the picture is kept in this browser at once, and Python hears of it; small moves in a row wait for each
// other. `flush` comes before any key or click that could save.
function keep(view, small = false) {
  const same = JSON.stringify(view.regions) === JSON.stringify(view.data.standing);
  const key = draftKey(view.data.owner, view.data.owner.image);
  if (same) dropDraft(key);
  else if (!writeDraft(key, view.regions, view.data.base)) say(view, "This browser keeps no drafts: save before you leave.");
  clearTimeout(view.waiting);
  view.waiting = undefined;
  if (small) view.waiting = setTimeout(() => flush(view), SEND);
  else send(view);
}

function flush(view) {
  if (view.waiting === undefined) return;
  clearTimeout(view.waiting);
  view.waiting = undefined;
  send(view);
}

function send(view) {
  view.tell("drawn", { item: view.item, regions: view.regions, others: view.others });
}

// A draft that is found when an item is opened goes on from where it was; the bar says so and can throw it away.
function restore(view) {
  const { owner, elsewhere } = view.data;
  const outdated = sweepDrafts(owner, view.data.saved);
  const draft = readDraft(draftKey(owner, owner.image));
  view.others = {};
  for (const image of elsewhere) {
    const other = readDraft(draftKey(owner, image));
    if (other) view.others[image] = other.regions;
  }
  const differs = draft && JSON.stringify(draft.regions) !== JSON.stringify(view.regions);
  if (differs) {
    view.past.push({ regions: view.regions, selected: null });
    view.regions = draft.regions;
  }
  const others = Object.keys(view.others).length;
  if (differs || others) {
    const at = draft ? new Date(draft.at) : new Date();
    const clock = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const newer = differs && draft.base !== view.data.base ? " What the model or others drew has changed since." : "";
    const also = others ? ` Also on ${others} other ${others === 1 ? "picture" : "pictures"}.` : "";
    offer(view, `Draft of ${clock} restored: ${counted(view.regions.length)}.${newer}${also}`);
    send(view);
  } else if (outdated) {
    say(view, "Your earlier draft was dropped: this part has been answered since.", 12000);
  }
}

function discard(view) {
  const { owner } = view.data;
  for (const image of Object.keys(view.others)) {
    dropDraft(draftKey(owner, image));
    view.others[image] = null;
  }
  view.offered.hidden = true;
  step(view, view.data.standing, null);
  dropDraft(draftKey(owner, owner.image));
  send(view);
  say(view, "Draft discarded. Ctrl Z brings it back.");
}
