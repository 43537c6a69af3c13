// The keyboard. Digits go by their place on the keyboard, so that they work unshifted on every layout. A key that is
// used goes no further; all rest while a field has the focus, and Tab, Enter and Space while a control has it.
const FIELD = "input, textarea, select, [contenteditable=true], [contenteditable='']";
const CONTROL = `${FIELD}, button, a[href], summary, [role=button], [role=tab], [role=radio], [role=option], [role=combobox]`;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STRIDE = 60; // screen pixels that an arrow moves the picture
const SEVERITIES = [null, "minor", "major", "critical"];

function onKey(view, event) {
  const target = event.composedPath()[0];
  const meets = (selector) => target instanceof Element && target.closest(selector);
  if (!view.stage.isConnected || document.querySelector("[role=dialog]") || meets(FIELD)) return;
  if (!(event.key in ARROWS)) flush(view);
  const free = !meets(CONTROL);
  const act = keyAct(view, event, free);
  if (!act) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  act();
}

function keyAct(view, event, free) {
  const { key, code } = event;
  if (event.ctrlKey || event.metaKey) {
    const letter = key.toLowerCase();
    if (event.altKey || (letter !== "z" && letter !== "y")) return null;
    return () => (letter === "y" || event.shiftKey ? redo(view) : undo(view));
  }
  if (event.altKey) return null;
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(code)?.[1];
  if (digit !== undefined) return digitAct(view, Number(digit), event.shiftKey);
  const region = chosen(view);
  if (key in ARROWS) {
    const [dx, dy] = ARROWS[key];
    if (!region) return () => pan(view, -dx * STRIDE, -dy * STRIDE);
    const far = event.shiftKey ? 10 : 1;
    return () => nudge(view, dx * far, dy * far);
  }
  switch (key) {
    case "Delete":
    case "Backspace":
      return region && (() => remove(view, region.key));
    case "Escape":
      return free && (() => { if (view.act) cancel(view, { pointerId: [...view.pointers.keys()][0] }); else letGo(view); });
    case "Tab": // after a second Esc, Tab leaves the picture: nobody is caught in it
      return free && !view.released && view.regions.length ? () => selectNext(view, event.shiftKey ? -1 : 1) : null;
    case "Enter":
      return free && (() => event.repeat || saveAndNext(view));
    case " ":
      return free && (() => { view.space = true; view.stage.dataset.hand ||= "open"; view.stage.style.cursor = ""; });
    case "f":
    case "F":
      return () => fit(view, view.fitted === "whole" ? "filled" : "whole");
    case "+":
    case "=":
      return () => zoom(view, 1.4);
    case "-":
    case "_":
      return () => zoom(view, 1 / 1.4);
    default:
      return null;
  }
}

function digitAct(view, digit, shifted) {
  if (shifted) return digit < SEVERITIES.length ? () => setSeverity(view, SEVERITIES[digit]) : null;
  if (digit === 0) return () => zoom(view, 1 / screenRatio() / view.scale);
  const kind = view.data.classes[digit - 1];
  return () => (kind ? setClass(view, kind.id) : say(view, `There is no class ${digit} here.`));
}

function offKey(view, event) {
  if (event.key !== " " || !view.space) return;
  view.space = false;
  view.stage.dataset.hand = "";
}

function letGo(view) {
  view.released = view.selected === null;
  view.selected = null;
  draw(view);
  refresh(view);
}

// A part with a region is saved as defective. Without any, the key alone cannot know what is meant, and asks.
function saveAndNext(view) {
  const elsewhere = Object.values(view.others).reduce((sum, some) => sum + (some?.length ?? 0), view.data.others);
  if (!view.regions.length && !elsewhere) {
    return say(view, "No region is drawn. A passes the part, D sends it to a second look, S fails it all the same.", 12000);
  }
  send(view);
  view.tell("enter", { item: view.item, session: view.data.session, stamp: newKey() });
}
