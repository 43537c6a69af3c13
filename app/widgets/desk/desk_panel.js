// What is told beside the picture. Text from people, files and cameras is set as text and never as HTML.
const LOOKS = {
  PASS: { word: "Pass", sign: "M4 12.5l5 5L20 6.5", key: "A" },
  FAIL: { word: "Fail", sign: "M6 6l12 12M18 6L6 18", key: "S" },
  REWORK: { word: "Rework", sign: "M19 12a7 7 0 1 1-2.2-5.1M19 3v5h-5", key: "W" },
  UNSURE: { word: "Unsure", sign: "M8.5 9a3.5 3.5 0 1 1 5 3.2c-1 .5-1.5 1.2-1.5 2.3M12 18.5v.5", key: "D" },
  HOLD: { word: "Hold", sign: "M9 5v14M15 5v14" },
};

function sign(parent, path) {
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("viewBox", "0 0 24 24");
  made.setAttribute("class", "sign");
  made.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  made.appendChild(line);
  parent.appendChild(made);
}

function badge(parent, name) {
  const look = LOOKS[name];
  const made = element("span", `badge ${name}`, parent);
  if (look) sign(made, look.sign);
  made.append(look ? look.word : name);
  return made;
}

function thumb(parent, url, alt) {
  const made = element("img", "thumb", parent);
  made.alt = alt;
  made.title = alt;
  made.src = url;
  made.addEventListener("error", () => { made.hidden = true; });
  return made;
}

// A share as Python writes it: .61; what is less than one never reads 1.00, but .997.
function short(value) {
  const told = value < 1 ? Math.min(value, 0.9999) : value;
  const digits = [2, 3].find((number) => told >= 1 || Number(told.toFixed(number)) < 1) || 4;
  return told.toFixed(digits).replace(/^0/, "");
}

// Where the score lies between pass, hold and fail.
function band(parent, score, limits) {
  const [low, high] = limits || [0, 1];
  const row = element("div", "band", parent);
  row.setAttribute("role", "img");
  const parts = limits ? [["pass", 0, low], ["hold", low, high], ["fail", high, 1]] : [["hold", 0, 1]];
  for (const [name, start, end] of parts) {
    const part = element("div", name, row);
    Object.assign(part.style, { left: `${start * 100}%`, width: `${Math.max(0, end - start) * 100}%` });
    if (end - start > 0.14) part.textContent = name;
  }
  element("i", "", row).style.left = `${score * 100}%`;
  const words = limits ? `score ${short(score)} · hold from ${short(low)} to ${short(high)}`
    : `score ${short(score)} · no policy in force`;
  row.setAttribute("aria-label", words);
  element("div", "words", parent, words);
}

function table(parent, rows) {
  const made = element("table", "facts", parent);
  const body = element("tbody", "", made);
  for (const [name, value] of rows) {
    const row = element("tr", "", body);
    element("th", "", row, name).scope = "row";
    element("td", "", row, value).title = value;
  }
}

// Why the part is here and what the model thinks: only what Python sent, which is nothing before a first answer.
function seenPart(panel, item) {
  const { seen } = item;
  const head = element("div", "head", panel);
  if (seen.outcome) badge(head, seen.outcome);
  if (seen.kind) element("span", "kind", head, seen.kind);
  element("span", "quiet", head, seen.rules);
  element("h2", "", panel, seen.heading);
  if (!seen.outcome) element("p", "quiet", panel, "The part still waits for pictures.");
  const reasons = element("ul", "reasons", panel);
  for (const reason of seen.reasons) element("li", "", reasons, reason);
  if (seen.printed) printedPart(panel, seen.printed);
  if (seen.score !== null) band(panel, seen.score, seen.band);
  const classes = element("div", "classes", panel);
  for (const one of seen.classes) {
    element("span", "", classes, one.name).title = one.name;
    element("div", "track", classes).appendChild(element("i")).style.width = `${one.score * 100}%`;
    element("b", "", classes, one.words);
  }
}

// The printed label: each line as it looks and as it was read, then the expected words against the read ones.
function printedPart(panel, printed) {
  const box = element("div", "printed", panel);
  element("h3", "", box, "printed label");
  for (const why of printed.failed) element("p", "warning", box, why);
  for (const line of printed.lines) {
    const row = element("div", "line-read", box);
    thumb(row, line.crop, `In the picture: ${line.text}`);
    element("span", "", row, line.text);
    element("span", "quiet", row, line.sure);
  }
  if (!printed.lines.length && !printed.failed.length) element("p", "quiet", box, "Nothing could be read.");
  if (printed.dates) element("p", "", box, `Date: ${printed.dates}`);
  if (!printed.expected) return;
  element("p", "", box, `Expected: ${printed.expected}`);
  const words = element("p", "word-diff", box);
  for (const one of printed.diff) {
    if (one.how === "extra") continue;
    const word = element("span", one.how.replace(" ", "-"), words, one.expected);
    word.title = one.how === "same" ? "read so" : `${one.how}${one.read ? `: read ${one.read}` : ""}`;
    if (one.how !== "same") element("em", "", word, one.read ? ` ${one.read}` : " missing");
  }
}

function beside(panel, item) {
  const { seen } = item;
  const strip = element("div", "beside", panel);
  if (seen.others.length) {
    const others = element("div", "", strip);
    element("h3", "", others, "last at this camera");
    const row = element("div", "thumbs", others);
    for (const one of seen.others) {
      const cell = element("span", `thumb-cell ${one.verdict}`, row);
      thumb(cell, one.thumb, one.alt);
      if (LOOKS[one.verdict]) sign(cell, LOOKS[one.verdict].sign);
    }
  }
  if (seen.good) {
    const good = element("div", "", strip);
    element("h3", "", good, "good part");
    thumb(element("span", "thumb-cell PASS", element("div", "thumbs", good)), seen.good,
      "A good part as this camera sees it");
  }
}

function drawPanel(panel, item, current) {
  panel.replaceChildren();
  const image = item.images[current];
  const scroller = element("div", "told", panel);
  if (item.verdict) {
    const mine = element("div", "head", scroller);
    element("span", "", mine, "You answered");
    badge(mine, item.verdict);
  }
  if (item.seen) seenPart(scroller, item);
  else element("p", "first", scroller, "First look: answer by eye. What the model says comes with your answer.");
  for (const warning of image ? image.warnings : []) element("p", "warning", scroller, warning);
  table(scroller, [...item.facts, ...(image ? image.facts : [])]);
  if (!item.seen) return;
  for (const one of item.seen.earlier) {
    const row = element("div", "said-before", scroller);
    badge(row, one.verdict);
    element("span", "", row, [one.by, one.when, one.why].filter(Boolean).join(" · "));
  }
  if (item.seen.urgency) {
    const why = element("details", "", scroller);
    element("summary", "", why, "Why this one now?");
    element("p", "quiet", why, `${item.seen.urgency}. ${item.seen.rule}`);
  }
  beside(panel, item);
}
