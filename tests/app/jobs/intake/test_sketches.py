"""What the line keeps of how pictures look to the net."""

from app.jobs.intake.ingest import ingest
from app.jobs.intake.opening import open_model
from app.settings import Settings
from core.pictures.decode import decode
from core.roles import WORKER
from core.watch.embedding import sketch
from data.store import Store


def test_the_line_keeps_a_sketch_of_what_the_engine_saw(line_ready: Store, current: Settings, pictures):
    files = pictures("a.png", "b.png")
    ingest(line_ready, current, [str(files[0].parent)], "lyon", camera="cam 3")
    worker, now = line_ready.acting_as(WORKER), line_ready.database.clock()
    kept = [one.sketch for one in worker.watching.stream("lyon", 0, 0, now, now).pictures]
    said = open_model(line_ready, current, "tiny").score([decode(one.read_bytes()).pixels for one in files])
    assert sorted(kept) == sorted(sketch(one.embedding) for one in said)
    assert None not in kept
