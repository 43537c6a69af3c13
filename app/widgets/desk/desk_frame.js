// The desk's furniture: where everything stands, made once; what it says changes, where it stands does not.
const TOOLS = [
  ["correct", "B", "Boxes", "Correct the boxes"],
  ["heatmap", "G", "Heatmap", "Why this score: tap to switch, hold to peek"],
  ["where", "H", "Where", "The dense map: tap to switch, hold to peek"],
  ["regions", "N", "Regions", "The regions with class and score"],
  ["raw", "R", "Raw", "The picture alone: tap to switch, hold to peek"],
  ["undo", "Z", "Undo", "Take the last answer back"],
  ["back", "P", "Previous", "Look at the part before; Escape returns"],
];

function keyed(parent, name, key, word, label) {
  const made = element("button", name, parent);
  made.type = "button";
  made.title = `${label} (${key} key)`;
  element("kbd", "", made, key).setAttribute("aria-hidden", "true");
  made.append(word);
  return made;
}

// Builds the whole desk below `root`; `act(name)` is called for whatever is pressed with the mouse.
function furnish(root, act) {
  root.replaceChildren();
  const desk = element("div", "desk", root);
  const parts = { desk };
  const status = element("div", "status", desk);
  parts.counts = element("span", "counts", status);
  const shift = element("label", "shift", status);
  shift.title = "Answered today, of what you want to do this shift. Only you see it, and only in this browser.";
  parts.done = element("span", "", shift);
  parts.target = element("input", "", shift);
  Object.assign(parts.target, { type: "number", min: 1, max: 9999 });
  parts.target.setAttribute("aria-label", "My target for this shift, in parts");
  parts.progress = element("progress", "", shift);
  parts.progress.setAttribute("aria-label", "Share of my target that is done");
  parts.pace = element("span", "pace", status);
  parts.word = element("span", "word", status);
  parts.word.setAttribute("role", "status");
  parts.saving = element("span", "saving", status);
  parts.saving.setAttribute("role", "status");
  parts.time = element("span", "time", status);
  parts.time.title = "Time on this part";

  const work = element("div", "work", desk);
  const left = element("div", "left", work);
  parts.picture = element("div", "picture", left);
  parts.empty = element("div", "empty", left);
  parts.empty.hidden = true;
  parts.views = element("div", "views", left);
  const side = element("div", "side", work);
  parts.banner = element("div", "banner", side);
  parts.banner.setAttribute("role", "alert");
  parts.banner.hidden = true;
  parts.panel = element("section", "panel", side);
  parts.panel.setAttribute("aria-label", "Why this part is here");
  parts.foot = element("div", "foot", side);
  parts.note = element("input", "", parts.foot);
  Object.assign(parts.note, { type: "text", maxLength: 500, placeholder: "Note for this part (M), may stay empty" });
  parts.note.setAttribute("aria-label", "Note for this part");
  parts.why = element("div", "why", parts.foot);
  parts.why.hidden = true;

  const bar = element("div", "actions", desk);
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Answers and tools");
  parts.buttons = {};
  for (const name of ["PASS", "FAIL", "REWORK", "UNSURE"]) {
    const look = LOOKS[name];
    const made = keyed(bar, `verdict ${name}`, look.key, "", look.word);
    sign(made, look.sign);
    made.append(look.word);
    made.addEventListener("click", () => act(name));
    parts.buttons[name] = made;
  }
  element("i", "gap", bar);
  for (const [name, key, word, label] of TOOLS) {
    const made = keyed(bar, "tool", key, word, label);
    made.addEventListener("click", () => act(name));
    parts.buttons[name] = made;
  }
  return parts;
}

// The small pictures of a part's other views.
function drawViews(parent, item, current, choose) {
  parent.replaceChildren();
  parent.hidden = item.images.length < 2;
  if (parent.hidden) return;
  item.images.forEach((image, number) => {
    const made = element("button", number === current ? "view chosen" : "view", parent);
    made.type = "button";
    made.setAttribute("aria-pressed", String(number === current));
    if (image.thumb) thumb(made, image.thumb, "");
    made.append(`${number + 1} · ${image.view}${image.note ? ` ${image.note}` : ""}`);
    made.addEventListener("click", () => choose(number));
  });
}

// What to say where there is nothing to look at.
function drawEmpty(parent, counts, idle, narrowed, act) {
  parent.replaceChildren();
  const waiting = counts.waiting;
  if (idle) {
    element("h2", "", parent, "Paused");
    element("p", "", parent, waiting
      ? `${waiting.toLocaleString("en")} part${waiting === 1 ? " waits" : "s wait"}. Nothing is held for you while you are away.`
      : "Nothing is held for you while you are away.");
    button(parent, "Take the next part (Enter key)", "Take the next part", act);
  } else if (counts.caught_up) {
    element("h2", "", parent, narrowed ? "Nothing like that waits" : "All caught up");
    element("p", "", parent, narrowed
      ? "No part that you asked for waits for you. New ones appear by themselves; show all parts to see the others."
      : "No part waits for you here. New ones appear by themselves; meanwhile choose another "
        + "site, inspect a picture, or rest your eyes.");
  } else {
    element("h2", "", parent, "One moment");
    element("p", "", parent, counts.ahead && !waiting
      ? `${counts.ahead} ${counts.ahead === 1 ? "part is" : "parts are"} fetched ahead by others: taking one.`
      : "The next part is on its way.");
  }
}
