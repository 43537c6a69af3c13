// One picture whose layers the page switches; the stage above does the rest.
const views = new WeakMap();

// G and H: a tap is passed on and switches the layer for good; while the key is held the layer only shows.
const PEEKS = { g: "heatmap", h: "where" };
const TAP = 300; // milliseconds

function peek(view, event) {
  const id = PEEKS[event.key.toLowerCase()];
  if (!id || !event.isTrusted || withModifier(event) || isTyping(event) || dialogOpen()) return;
  const { stage } = view;
  if (!stage.slide || !stage.slide.image.layers.some((one) => one.id === id && one.peek)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (event.type === "keydown") {
    if (view.held !== undefined) return;
    view.held = performance.now();
    stage.peeking = id;
  } else if (view.held !== undefined) {
    const tapped = performance.now() - view.held < TAP;
    view.held = undefined;
    stage.peeking = undefined;
    if (tapped) {
      const { key, code, keyCode } = event;
      const again = { key, code, keyCode, which: keyCode, bubbles: true, cancelable: true, composed: true };
      for (const type of ["keydown", "keyup"]) event.composedPath()[0].dispatchEvent(new KeyboardEvent(type, again));
    }
  }
  stage.shade();
}

function build(root) {
  root.replaceChildren();
  const view = { root, stage: new Stage(root) };
  view.keys = (event) => {
    if (withModifier(event) || isTyping(event) || dialogOpen()) return;
    if (view.stage.key(event.key)) event.preventDefault();
  };
  view.peek = (event) => peek(view, event);
  window.addEventListener("keydown", view.keys);
  for (const name of ["keydown", "keyup"]) window.addEventListener(name, view.peek, true);
  return view;
}

export default function (component) {
  const { data, parentElement } = component;
  let view = views.get(parentElement);
  if (!view || !parentElement.contains(view.root)) {
    view = build(parentElement.querySelector(".viewer-root") || parentElement);
    views.set(parentElement, view);
  }
  const { stage } = view;
  stage.stage.style.setProperty("--viewer-height", data.height);
  if (view.item !== data.image.key) stage.opacity = data.opacity;
  view.item = data.image.key;
  stage.shown = data.shown;
  stage.show(data.image);
  return () => {
    window.removeEventListener("keydown", view.keys);
    for (const name of ["keydown", "keyup"]) window.removeEventListener(name, view.peek, true);
    stage.close();
    views.delete(parentElement);
  };
}
