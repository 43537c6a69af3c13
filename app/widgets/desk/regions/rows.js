// The table by itself, beside an engine that has none.
const opened = new WeakMap();

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const tell = (said) => setStateValue("changed", { item: data.item, session: data.session, stamp: `${Date.now()}-${Math.random()}`, ...said });
  const host = parentElement.querySelector(".rows");
  const draw = () => fillTable(host, {
    regions: data.regions, classes: data.classes, unmapped: data.unmapped, selected: opened.get(parentElement) ?? null,
    acts: {
      select: (key) => { opened.set(parentElement, key); draw(); },
      change: (key, change) => tell({ key, ...change }),
      remove: (key) => tell({ key, remove: true }),
    },
  });
  host.style.maxHeight = data.height_css;
  draw();
  return undefined;
}
