// Where the picture lies on the stage. Regions are in the picture's own pixels; x, y and scale lead to the screen's.
const MOST = 24; // screen pixels for one picture pixel
const STRIP = 2.4; // so many times longer than the stage: the whole goes to the map, the stage shows a part
const SHARPER = 1.2; // the preview may be stretched this far before something sharper is fetched
const SETTLED = 120; // milliseconds without a move before it is
const GRID = 64; // pixels that the server's crops snap to
const WIDEST = 2560; // pixels across that the server sends at most
const MOST_CROPS = 8;
const CRISP = 3; // from here on pixels show as squares

const screenRatio = () => window.devicePixelRatio || 1;
const toPicture = (view, x, y) => [(x - view.x) / view.scale, (y - view.y) / view.scale];
const within = (value, least, most) => Math.min(Math.max(value, least), Math.max(least, most));

function room(view) {
  const { clientWidth: w, clientHeight: h } = view.stage;
  const { width, height } = view.data;
  return { w, h, whole: Math.min(w / width, h / height), filled: Math.max(w / width, h / height) };
}

function isStrip(view) {
  const { clientWidth: w, clientHeight: h } = view.around; // the map's place counts, or it would change the answer
  const turned = (view.data.width / view.data.height) / (w / h);
  return turned > STRIP || turned < 1 / STRIP;
}

function fit(view, how = "whole") {
  const space = room(view);
  if (!space.w || !space.h) return;
  view.scale = Math.min(space[how], MOST);
  const left = (space.w - view.data.width * view.scale) / 2, top = (space.h - view.data.height * view.scale) / 2;
  view.x = how === "whole" ? left : Math.max(0, left); // what is filled starts at the picture's own start
  view.y = how === "whole" ? top : Math.max(0, top);
  view.fitted = how;
  moved(view);
}

function zoom(view, factor, atX, atY) {
  const { w, h, whole, filled } = room(view);
  const px = atX ?? w / 2, py = atY ?? h / 2;
  const wanted = within(view.scale * factor, Math.min(whole, 1) * 0.5, Math.max(MOST, filled));
  view.x = px - (px - view.x) * (wanted / view.scale);
  view.y = py - (py - view.y) * (wanted / view.scale);
  view.scale = wanted;
  view.fitted = null;
  moved(view);
}

function pan(view, dx, dy) {
  view.x += dx;
  view.y += dy;
  view.fitted = null;
  moved(view);
}

// Bring a region into sight, and come closer only where it would be too small to grasp.
function show(view, region) {
  const { w, h } = room(view);
  const margin = 24;
  const left = view.x + region.x * view.scale, top = view.y + region.y * view.scale;
  const wide = region.width * view.scale, tall = region.height * view.scale;
  const inSight = left >= 0 && top >= 0 && left + wide <= w && top + tall <= h;
  const grasped = wide >= 8 || tall >= 8 || view.scale >= 1;
  if (inSight && grasped) return;
  if (!grasped) view.scale = within(40 / Math.max(region.width, region.height), view.scale, 2);
  view.scale = Math.min(view.scale, (w - 2 * margin) / region.width, (h - 2 * margin) / region.height);
  view.x = w / 2 - (region.x + region.width / 2) * view.scale;
  view.y = h / 2 - (region.y + region.height / 2) * view.scale;
  view.fitted = null;
  moved(view);
}

function moved(view) {
  const { w, h } = room(view);
  const margin = 80; // a part of the picture always stays in sight
  view.x = within(view.x, margin - view.data.width * view.scale, w - margin);
  view.y = within(view.y, margin - view.data.height * view.scale, h - margin);
  view.stage.dataset.view = `${view.scale} ${view.x} ${view.y}`;
  view.zoomed.textContent = `${Math.round(view.scale * screenRatio() * 100)}%`;
  sharpen(view);
  view.stale = true;
  draw(view);
}

// Closer than the preview shows, the part in view is asked for by itself: sharp, and never the whole picture at once.
function sharpen(view) {
  clearTimeout(view.looking);
  const need = view.scale * screenRatio();
  view.need = need > previewScale(view) * SHARPER ? Math.min(need, 1) : 0;
  if (!view.data.crop || !view.need || previewScale(view) >= 1) {
    view.stage.dataset.sharp = "";
    return;
  }
  const box = boxInView(view, 0);
  if (view.crops.some((one) => one.picture && covers(one.box, box) && one.scale >= view.need * 0.9)) {
    view.stage.dataset.sharp = "yes";
    return;
  }
  view.stage.dataset.sharp = "loading";
  view.looking = setTimeout(() => fetchCrop(view), SETTLED);
}

const previewScale = (view) => (view.preview.naturalWidth || view.data.width) / view.data.width;
const covers = (outer, inner) => outer[0] <= inner[0] && outer[1] <= inner[1] && outer[2] >= inner[2] && outer[3] >= inner[3];

// Left, top, right and bottom of what is seen and a margin of so many stages around it, on the server's own grid.
function boxInView(view, margin) {
  const { w, h } = room(view);
  const { width, height } = view.data;
  const [left, top] = toPicture(view, -margin * w, -margin * h), [right, bottom] = toPicture(view, w * (1 + margin), h * (1 + margin));
  const snap = (value, way, most) => within(Math[way](value / GRID) * GRID, 0, most);
  return [snap(left, "floor", width), snap(top, "floor", height), snap(right, "ceil", width), snap(bottom, "ceil", height)];
}

function fetchCrop(view) {
  let box = boxInView(view, 0.25);
  if ((box[2] - box[0]) * view.need > WIDEST) box = boxInView(view, 0);
  const wide = box[2] - box[0], high = box[3] - box[1];
  if (wide < 1 || high < 1) return;
  const item = view.item;
  const asked = Math.min(Math.ceil(wide * view.need), WIDEST);
  const crop = { box, scale: asked / wide, picture: null };
  const picture = new Image();
  picture.src = `${view.data.crop}&box=${box[0]},${box[1]},${wide},${high}&width=${asked}`;
  picture.decode().then(() => {
    if (view.item !== item) return;
    crop.picture = picture;
    view.crops = [...view.crops.filter((one) => !(covers(box, one.box) && one.scale <= crop.scale)), crop].slice(-MOST_CROPS);
    view.stale = true;
    sharpen(view); // the view may have moved on meanwhile
    draw(view);
  }, () => {
    if (view.item !== item) return;
    view.stage.dataset.sharp = "no";
    say(view, "The sharper picture could not be loaded: the coarse one stays.");
  });
}

function paintPicture(view) {
  const { data } = view;
  const ratio = screenRatio();
  const { w, h } = room(view);
  const paper = view.paper;
  if (paper.width !== Math.round(w * ratio) || paper.height !== Math.round(h * ratio)) {
    paper.width = Math.round(w * ratio);
    paper.height = Math.round(h * ratio);
  }
  const pen = paper.getContext("2d", { alpha: false });
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.fillStyle = "#0b0d10";
  pen.fillRect(0, 0, paper.width, paper.height);
  if (!view.preview.complete || !view.preview.naturalWidth) return;
  pen.imageSmoothingEnabled = view.scale * ratio < CRISP;
  pen.imageSmoothingQuality = "medium";
  layPicture(view, pen, view.preview, [0, 0, data.width, data.height]);
  if (!view.need) return;
  for (const crop of [...view.crops].sort((a, b) => a.scale - b.scale)) layPicture(view, pen, crop.picture, crop.box);
}

function layPicture(view, pen, picture, [left, top, right, bottom]) {
  const ratio = screenRatio();
  pen.setTransform(
    (view.scale * ratio * (right - left)) / picture.naturalWidth, 0,
    0, (view.scale * ratio * (bottom - top)) / picture.naturalHeight,
    (view.x + left * view.scale) * ratio, (view.y + top * view.scale) * ratio,
  );
  pen.drawImage(picture, 0, 0);
}

// The whole in small, with the part in view; a strip's map lies along its whole side.
function placeMap(view) {
  const { data } = view;
  const strip = isStrip(view);
  const across = view.around.clientWidth, down = view.around.clientHeight;
  const long = strip && data.width > data.height;
  const tall = strip && !long;
  const most = long ? [across, 84] : tall ? [84, down] : [168, 126];
  const scale = Math.min(most[0] / data.width, most[1] / data.height);
  view.map.width = Math.max(1, Math.round(data.width * scale * screenRatio()));
  view.map.height = Math.max(1, Math.round(data.height * scale * screenRatio()));
  view.map.style.width = `${Math.max(1, data.width * scale)}px`;
  view.map.style.height = `${Math.max(1, data.height * scale)}px`;
  view.mapScale = scale;
  view.around.dataset.shape = long ? "long" : tall ? "tall" : "plain";
}

function paintMap(view) {
  const { w, h } = room(view);
  const { data, map } = view;
  const all = view.x >= -1 && view.y >= -1 && view.x + data.width * view.scale <= w + 1 && view.y + data.height * view.scale <= h + 1;
  map.hidden = all && view.around.dataset.shape === "plain";
  if (map.hidden) return;
  const pen = map.getContext("2d");
  const scale = view.mapScale * screenRatio();
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, map.width, map.height);
  if (view.preview.naturalWidth) pen.drawImage(view.preview, 0, 0, map.width, map.height);
  pen.lineWidth = screenRatio();
  for (const region of view.regions) {
    pen.strokeStyle = colourOf(view, region);
    pen.strokeRect(region.x * scale, region.y * scale, Math.max(2, region.width * scale), Math.max(2, region.height * scale));
  }
  const [left, top] = toPicture(view, 0, 0).map((value) => Math.max(0, value) * scale);
  const [right, bottom] = toPicture(view, w, h);
  const wide = Math.min(right, data.width) * scale - left, high = Math.min(bottom, data.height) * scale - top;
  for (const [colour, line] of [["rgba(0,0,0,.8)", 4], ["#fff", 2]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = line * screenRatio();
    pen.strokeRect(left, top, Math.max(2, wide), Math.max(2, high));
  }
}

function goByMap(view, event) {
  const at = view.map.getBoundingClientRect();
  const { w, h } = room(view);
  view.x = w / 2 - ((event.clientX - at.left) / view.mapScale) * view.scale;
  view.y = h / 2 - ((event.clientY - at.top) / view.mapScale) * view.scale;
  view.fitted = null;
  moved(view);
}
