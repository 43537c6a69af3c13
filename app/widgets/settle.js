// The canvas tells Python of a stroke about 200 ms after it has ended. A key or a click that saves meanwhile would save
// the picture without that stroke: it is held back until the stroke has arrived.
const SETTLES = 400; // milliseconds after the pointer is up
const HELD = /^[abdswABDSW]$/;
const TYPING = "input, textarea, select, [contenteditable=true]";

export default function () {
  let drawing = false;
  let ended = -Infinity;
  const within = (event, test) => event.composedPath().some((one) => one instanceof Element && test(one));
  const onCanvas = (event) => within(event, (one) => one.matches("canvas, .canvas-root"));
  const busy = () => drawing || performance.now() - ended < SETTLES;
  const whenQuiet = (act) => (busy() ? setTimeout(() => whenQuiet(act), 30) : act());

  const down = (event) => { if (within(event, (one) => one.matches("canvas"))) drawing = true; };
  const up = () => { if (drawing) { drawing = false; ended = performance.now(); } };
  const key = (event) => {
    if (!event.isTrusted || !busy() || !HELD.test(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.composedPath()[0];
    if (target instanceof Element && target.matches(TYPING)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.repeat) return;
    const { key: name, code, keyCode } = event;
    const again = { key: name, code, keyCode, which: keyCode, bubbles: true, cancelable: true, composed: true };
    whenQuiet(() => {
      document.body.dispatchEvent(new KeyboardEvent("keydown", again));
      document.body.dispatchEvent(new KeyboardEvent("keyup", again));
    });
  };
  const click = (event) => {
    if (!event.isTrusted || !busy() || onCanvas(event)) return;
    const pressed = event.composedPath().find((one) => one instanceof Element && one.matches("button"));
    if (!pressed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    whenQuiet(() => pressed.click());
  };
  const listening = { pointerdown: down, pointerup: up, pointercancel: up, keydown: key, click };
  for (const [name, act] of Object.entries(listening)) window.addEventListener(name, act, true);
  return () => {
    for (const [name, act] of Object.entries(listening)) window.removeEventListener(name, act, true);
  };
}
