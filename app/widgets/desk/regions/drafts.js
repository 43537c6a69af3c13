// Regions that are not saved yet, kept in this browser. A draft belongs to one person, task, revision and picture: its
// key says so, and nobody else ever asks for that key. It ends when the save is acknowledged or the revision has moved.
const DRAFTS = "holdpoint.draft:";
const DRAFT_DAYS = 7;

const draftKey = ({ user, task, revision }, image) =>
  `${DRAFTS}${encodeURIComponent(user)}:${task}:${revision}:${image}`;

function allDrafts() {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(DRAFTS));
  } catch (refused) { // a browser may forbid storage altogether
    return [];
  }
}

function isRegion(one) {
  return typeof one?.key === "string" && [one.x, one.y, one.width, one.height].every(Number.isFinite)
    && (one.score === null || Number.isFinite(one.score)) && (one.rings === null || Array.isArray(one.rings));
}

function readDraft(key) {
  try {
    const found = JSON.parse(localStorage.getItem(key));
    return found && Array.isArray(found.regions) && found.regions.every(isRegion) ? found : null;
  } catch (broken) {
    return null;
  }
}

function dropDraft(key) {
  try {
    localStorage.removeItem(key);
  } catch (refused) { /* then there is none either */ }
}

// Whether it could be kept; when the store is full, the oldest drafts make room.
function writeDraft(key, regions, base) {
  const text = JSON.stringify({ regions, base, at: new Date().toISOString() });
  for (let tries = 0; tries < 50; tries += 1) {
    try {
      localStorage.setItem(key, text);
      return true;
    } catch (full) {
      const oldest = allDrafts().filter((one) => one !== key)
        .sort((a, b) => String(readDraft(a)?.at).localeCompare(String(readDraft(b)?.at)))[0];
      if (!oldest) return false;
      dropDraft(oldest);
    }
  }
  return false;
}

// Remove what is over: drafts of this person's task at another revision, saved ones, and very old ones of anybody.
// How many of them were for an earlier state of the task that is open now.
function sweepDrafts(owner, saved = []) {
  const mine = `${DRAFTS}${encodeURIComponent(owner.user)}:`;
  const task = `${mine}${owner.task}:`;
  const gone = new Set(saved.map(([one, revision]) => `${mine}${one}:${revision}:`));
  const oldest = new Date(Date.now() - DRAFT_DAYS * 86400e3).toISOString();
  let outdated = 0;
  for (const key of allDrafts()) {
    const wasSaved = gone.has(key.slice(0, key.lastIndexOf(":") + 1));
    const moved = key.startsWith(task) && !key.startsWith(`${task}${owner.revision}:`);
    if (moved && !wasSaved) outdated += 1;
    if (wasSaved || moved || !(readDraft(key)?.at > oldest)) dropDraft(key);
  }
  return outdated;
}
