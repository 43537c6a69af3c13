// Drafts for an engine that has no script of ours: what Python has is kept, what was kept is told once. Nothing is
// written before Python has taken what was found, or it would be gone.
const keepers = new WeakMap();

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  if (!data.owner) { // only to forget what is saved
    sweepDrafts({ user: data.user, task: "-", revision: "-" }, data.saved);
    return undefined;
  }
  const key = draftKey(data.owner, data.owner.image);
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  let mine = keepers.get(parentElement);
  if (mine?.item !== data.item || mine.session !== data.session) { // a new session knows nothing of what was drawn
    mine = { item: data.item, session: data.session, found: "" };
    keepers.set(parentElement, mine);
    sweepDrafts(data.owner, data.saved);
    const draft = readDraft(key);
    if (draft && !same(draft.regions, data.regions)) {
      mine.found = `${Date.now()}-${Math.random()}`;
      setStateValue("found", { item: data.item, session: data.session, stamp: mine.found, regions: draft.regions });
    }
  }
  if (mine.found && mine.found !== data.taken) return undefined;
  if (same(data.regions, data.standing)) dropDraft(key);
  else writeDraft(key, data.regions, data.base);
  return undefined;
}
