// The regions as rows: what each is, how sure the model was, and who drew it. One row is open: there the class and the
// severity are chosen. Used by the editor and by the page of the other engine.
function tableNode(tag, name, parent, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  parent?.appendChild(made);
  return made;
}

const rowsOf = new WeakMap();

/* acts: { select(key), change(key, {class} or {severity}), remove(key) } */
function fillTable(host, { regions, classes, unmapped, selected, acts }) {
  let known = rowsOf.get(host);
  if (!known) {
    known = { rows: new Map(), body: null };
    const table = tableNode("table", "regions", host);
    table.setAttribute("aria-label", "Regions");
    const head = tableNode("tr", "", tableNode("thead", "", table));
    for (const word of ["", "Class", "Severity", "Score", "From"]) tableNode("th", "", head, word);
    known.body = tableNode("tbody", "", table);
    rowsOf.set(host, known);
  }
  const gone = new Set(known.rows.keys());
  regions.forEach((region, i) => {
    const open = region.key === selected;
    const sign = JSON.stringify([i, region.class, region.name, region.severity, region.score, region.by, region.rings || region.rle ? 1 : 0, open, open && [region.width, region.height]]);
    let row = known.rows.get(region.key);
    gone.delete(region.key);
    if (!row || row.dataset.sign !== sign) {
      const made = tableRow(region, i, { classes, unmapped, open, acts });
      made.dataset.sign = sign;
      if (row) row.replaceWith(made);
      row = made;
      known.rows.set(region.key, row);
    }
    if (known.body.children[i] !== row) known.body.insertBefore(row, known.body.children[i] ?? null);
  });
  for (const key of gone) {
    known.rows.get(key).remove();
    known.rows.delete(key);
  }
  if (selected && known.shown !== selected) known.rows.get(selected)?.scrollIntoView({ block: "nearest" });
  known.shown = selected;
}

function tableRow(region, i, { classes, unmapped, open, acts }) {
  const kind = classes.find((one) => one.id === region.class);
  const row = tableNode("tr", open ? "open" : "");
  row.dataset.key = region.key;
  row.setAttribute("aria-selected", open);
  const first = tableNode("td", "number", row);
  tableNode("i", "dot", first).style.background = kind?.colour ?? unmapped;
  tableNode("span", "", first, String(i + 1));
  if (open) {
    const cell = tableNode("td", "choose", row);
    cell.colSpan = 4;
    const line = tableNode("div", "", cell);
    const choices = [...classes.map((one) => [one.id, one.label]), ...(kind ? [] : [["", `${region.name || "no class"} (not mapped)`]])];
    choice(line, `Class of region ${i + 1}`, choices, region.class ?? "", (value) => value && acts.change(region.key, { class: value }));
    const severities = [["", "not said"], ...(kind?.severities ?? ["minor", "major", "critical"]).map((one) => [one, one])];
    choice(line, `Severity of region ${i + 1}`, severities, region.severity ?? "", (value) => acts.change(region.key, { severity: value || null }));
    const away = tableNode("button", "remove", line, "✕");
    away.type = "button";
    away.title = "Remove this region (Del)";
    away.setAttribute("aria-label", `Remove region ${i + 1}`);
    away.addEventListener("click", (event) => { event.stopPropagation(); acts.remove(region.key); });
    const mask = region.rings || region.rle ? " · with a mask" : "";
    const score = region.score === null ? "" : ` · score ${scored(region)}`;
    tableNode("small", "", cell, `${Math.round(region.width)} × ${Math.round(region.height)} px${score} · from ${region.by}${mask}`);
  } else {
    const name = tableNode("td", "name", row);
    const pick = tableNode("button", "pick", name, kind?.label ?? `${region.name || "no class"} (not mapped)`);
    pick.type = "button";
    pick.title = `Region ${i + 1}: ${Math.round(region.width)} × ${Math.round(region.height)} px`;
    tableNode("td", "", row, region.severity ?? "–");
    tableNode("td", "figure", row, scored(region));
    tableNode("td", "from", row, region.by).title = region.by;
    row.addEventListener("click", () => acts.select(region.key));
  }
  return row;
}

// As Python writes a share: .61, and .997 where two digits would read 1.00.
function share(value) {
  const told = value < 1 ? Math.min(value, 0.9999) : value;
  const digits = [2, 3].find((number) => told >= 1 || Number(told.toFixed(number)) < 1) || 4;
  return told.toFixed(digits).replace(/^0/, "");
}

const scored = (region) => (region.score === null ? "–" : share(region.score));

function choice(parent, label, options, value, act) {
  const made = tableNode("select", "", parent);
  made.setAttribute("aria-label", label);
  for (const [id, text] of options) {
    const option = tableNode("option", "", made, text);
    option.value = id;
  }
  made.value = value;
  made.addEventListener("change", () => act(made.value));
  made.addEventListener("keydown", (event) => event.stopPropagation()); // the page's shortcuts look past the shadow
  return made;
}
