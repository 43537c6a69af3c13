// Figures of the thresholds page: bars of scores, and curves over a threshold, each with the edge that moves in it.
// Drawn here rather than by a chart library, because a slider's move has to show at once.
const roots = new WeakMap();
const NS = "http://www.w3.org/2000/svg";

function element(name, attributes = {}, text = "") {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
}

function shape(name, attributes) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

const digits = (value, most) => value.toLocaleString("en", { maximumFractionDigits: most, minimumFractionDigits: most });
const percent = (value) => `${digits(100 * value, Math.abs(value) < 0.1 ? 2 : 1)}%`;
const figure = (value, share) => (share ? percent(value) : digits(value, Math.abs(value) < 100 ? 2 : 0));
const edge = (value) => value.toFixed(4).replace(/0{1,2}$/, "");

// A round number a little above: 1, 2 or 5 times a power of ten.
function roundUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 5, 10].find((one) => one * power >= value * 0.999);
}

// A frame with its scales in words: x from 0 to 1, y from 0 to `top`.
function panel(title, facts, top, label) {
  const box = element("figure", { role: "group", "aria-label": title });
  const head = element("figcaption");
  head.append(element("b", {}, title), element("span", {}, facts));
  const now = element("output");
  const plot = element("div", { class: "plot" });
  const svg = shape("svg", { viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" });
  plot.append(svg, element("i", { class: "top" }, label(top)), element("i", { class: "half" }, label(top / 2)));
  const scale = element("div", { class: "scale" });
  for (const text of ["0", "0.25", "0.5", "0.75", "1"]) scale.append(element("i", {}, text));
  svg.append(shape("path", { class: "rule", d: "M0,0.004H1M0,0.5H1M0,0.996H1" }));
  box.append(head, now, plot, scale);
  return { box, svg, now, plot };
}

// The figure's own words, and what lies under the pointer while it is there.
function reads(made, usual, at) {
  made.now.textContent = usual;
  const cursor = shape("path", { class: "cursor", d: "" });
  made.svg.append(cursor);
  made.plot.addEventListener("pointermove", (event) => {
    const place = made.plot.getBoundingClientRect();
    const x = Math.min(1, Math.max(0, (event.clientX - place.left) / place.width));
    made.now.textContent = at(x);
    cursor.setAttribute("d", `M${x},0V1`);
  });
  made.plot.addEventListener("pointerleave", () => {
    made.now.textContent = usual;
    cursor.setAttribute("d", "");
  });
}

function bars({ kinds, low, high, marks }) {
  const top = roundUp(Math.max(...kinds.flatMap((one) => one.shares)));
  const made = panel("Scores", "share of each kind", top, percent);
  made.box.classList.add("wide");
  const { svg } = made;
  const grounds = [["passes", 0, low], ["holds", low, high], ["fails", high, 1]];
  for (const [name, from, to] of grounds) {
    svg.append(shape("rect", { class: `ground ${name}`, x: from, y: 0, width: Math.max(0, to - from), height: 1 }));
  }
  for (const { shares, colour, faint } of kinds) {
    const wide = 1 / shares.length;
    const path = shares.map((y, i) => `M${i * wide},1V${1 - y / top}H${(i + 1) * wide}V1Z`).join("");
    svg.append(shape("path", { d: path, fill: colour, opacity: faint ? 0.4 : 0.7 }));
  }
  svg.append(shape("path", { class: "edge", d: `M${low},0V1M${high},0V1` }));
  marks.forEach(({ name, at }, row) => {
    svg.append(shape("path", { class: "mark", d: `M${at},${0.02 + 0.09 * row}V1` }));
    const note = element("em", { class: at > 0.75 ? "left" : "" }, name);
    note.style.left = `${100 * at}%`;
    note.style.top = `${1 + 9 * row}%`;
    made.plot.append(note);
  });
  const legend = element("div", { class: "legend" });
  for (const { name, counts, colour } of kinds) {
    const entry = element("span", {}, `${name} (${digits(counts.reduce((sum, one) => sum + one, 0), 0)})`);
    entry.style.setProperty("--kind", colour);
    legend.append(entry);
  }
  made.box.insertBefore(legend, made.now);
  reads(made, `held from ${edge(low)} to ${edge(high)}, both edges included`, (x) => {
    const i = Math.min(kinds[0].shares.length - 1, Math.floor(x * kinds[0].shares.length));
    const parts = kinds.map((one) => `${one.name} ${percent(one.shares[i])} (${digits(one.counts[i], 0)})`);
    return `score ${(i / kinds[0].shares.length).toFixed(3)} and up: ${parts.join(" · ")}`;
  });
  return made.box;
}

function curve({ title, n, share, edge: where, name, x, value, low, high }) {
  const reach = [...value.filter((one) => one !== null), 0];
  const nearest = (at) => x.reduce((best, one, i) => (Math.abs(one - at) < Math.abs(x[best] - at) ? i : best), 0);
  const here = nearest(where);
  const top = roundUp(Math.max(1.05 * Math.max(...reach), value[here] === null ? 0 : high[here]));
  const capped = share ? Math.min(1, top) : top;
  const made = panel(title, `n ${digits(n, 0)}`, capped, (one) => figure(one, share));
  const y = (one) => Math.min(1.02, Math.max(-0.02, 1 - one / capped));
  const there = [...x.keys()].filter((i) => value[i] !== null);
  const along = there.map((i) => `${x[i]},${y(high[i])}`);
  const back = there.toReversed().map((i) => `${x[i]},${y(low[i])}`);
  if (there.length) {
    made.svg.append(shape("path", { class: "interval", d: `M${along.join("L")}L${back.join("L")}Z` }));
    made.svg.append(shape("path", { class: "value", d: `M${there.map((i) => `${x[i]},${y(value[i])}`).join("L")}` }));
  }
  made.svg.append(shape("path", { class: "edge", d: `M${where},0V1` }));
  const said = (i) =>
    value[i] === null
      ? "nothing to go by"
      : `${figure(value[i], share)}, between ${figure(low[i], share)} and ${figure(high[i], share)}`;
  reads(made, said(here), (at) => `${name} ${edge(x[nearest(at)])}: ${said(nearest(at))}`);
  return made.box;
}

export default function (component) {
  const { data, parentElement } = component;
  const text = JSON.stringify(data);
  if (roots.get(parentElement) === text) return;
  roots.set(parentElement, text);
  const root = parentElement.querySelector(".figures");
  const made = data.curves ? data.curves.map(curve) : [bars(data)];
  root.replaceChildren(...made);
  root.dataset.band = data.band;
}
