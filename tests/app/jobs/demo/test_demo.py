import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.jobs.demo.making import demo, live
from app.jobs.demo.plant import NEW_AUDIT_FAIL, NEW_AUDIT_PASS, settled_at
from app.jobs.intake.line import SHIPPED
from app.settings import Settings
from core.defect_book import ExampleKind
from core.errors import BadInput, Conflict, NotAllowed
from core.records import Outcome, Verdict
from core.roles import Actor, Role
from core.watch.rules import RuleKind
from data.demo.plan import parts
from data.demo.plant import LINES, PEOPLE, SITES
from data.store import open_store
from models.checkpoint import read_card

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
IMAGES = 36


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    home = tmp_path_factory.mktemp("plant")
    settings = Settings(home=home, offline=True, threads=1, decoders=1)
    store = open_store(settings.database_url)
    report = demo(store, settings, IMAGES, now=NOW)
    yield store, settings, report
    store.close()


def facts(store, settings):
    """Everything that a second run might change."""
    images = [image for site in SITES for image in store.images.find(site=site.name, limit=1000)]
    events = store.audit.recent(limit=5000)
    files = {path: path.stat().st_mtime_ns for path in (settings.home / "demo").rglob("*") if path.is_file()}
    return images, [event.id for event in events], store.queue.counts(now=NOW), files


def test_a_small_plant_is_drawn_scored_decided_and_reviewed(plant):
    store, _, report = plant
    assert report["images"] == IMAGES
    assert report["parts"] == len(parts(1, IMAGES, NOW))
    assert sum(report["decisions"].values()) == report["parts"]
    assert report["reviews"] > 0
    assert store.queue.counts(now=NOW).waiting == report["waiting"] > 0
    json.dumps(report)


def test_run_again_it_changes_nothing(plant):
    store, settings, _ = plant
    before = facts(store, settings)
    again = demo(store, settings, IMAGES, now=NOW + timedelta(days=3))
    assert facts(store, settings) == before
    assert again["known"] == IMAGES
    assert again["reviews"] == 0


def test_another_seed_needs_another_home(plant):
    store, settings, _ = plant
    with pytest.raises(Conflict, match="seed 1, not 2"):
        demo(store, settings, IMAGES, seed=2)


def test_every_picture_was_really_scored_by_the_model_in_use(plant):
    store, _, _ = plant
    for site in SITES:
        readable = [image for image in store.images.find(site=site.name, limit=1000) if image.state == "ok"]
        said = store.images.predictions([image.id for image in readable])
        assert set(said) == {image.id for image in readable}
        assert {prediction.model for prediction in said.values()} <= {site.model}
        assert all(Path(image.path).is_file() for image in readable)


def test_sites_have_what_is_promised_and_one_passes_nothing_by_itself(plant):
    store, _, _ = plant
    assert {site.name for site in store.sites.all()} == {site.name for site in SITES}
    for site in SITES:
        there = store.sites.get(site.name)
        policy = store.policies.in_force(site.name)
        assert there.model == site.model
        assert there.taxonomy.name == site.taxonomy
        assert there.calibrated == (site.band is not None) == (policy is not None)
        if policy is not None:
            measured = read_card(SHIPPED / site.model).metrics["bands"][site.name]
            assert policy.approved_by != policy.proposed_by
            assert (policy.pass_below, policy.fail_above) == (measured["pass_below"], measured["fail_above"])
            first = store.policies.history(site.name)[-1]
            assert f"{site.band.miss:.0%} of the defective parts pass" in first.reason
            assert site.band.reason in policy.reason
        wanted = {line.part for line in LINES if line.site == site.name}
        assert set(store.part_types.all(site.name)) == wanted
    lapsed = next(site.name for site in SITES if site.calibration_lapsed)
    assert store.sites.get(lapsed).stopped(NOW) is not None
    part_ids = {image.part_id for image in store.images.find(site=lapsed, limit=1000)}
    first = [store.parts.history(part_id)[0] for part_id in part_ids]
    assert Outcome.PASS not in {one.outcome for one in first if one.decided_at > settled_at(NOW)}


def test_the_slow_conveyors_have_a_rule_of_their_own_that_two_people_made(plant):
    store, _, _ = plant
    for site in SITES:
        rule = store.alarms.rules(site.name)[RuleKind.THROUGHPUT]
        slowest = 24 * min(line.share for line in LINES)  # parts a minute, live, on the line that has fewest
        assert 0 < rule.limit < slowest / 2
        assert rule.on
        assert not rule.waits


def test_every_site_has_audits_second_looks_and_known_parts(plant):
    store, _, _ = plant
    lead = store.acting_as(Actor("marta"))
    shares, known = set(), 0
    for site in SITES:
        found = lead.auditing.facts(site.name, NOW - timedelta(days=40), NOW)
        shares |= {look.share for look in found.first if look.outcome is not Outcome.HOLD}
        known += len(lead.gold.items(site.name))
        policy = store.policies.in_force(site.name)
        assert site.band is not None
        assert policy is not None
        assert (policy.audit_pass, policy.audit_fail) == (site.band.audit_pass, site.band.audit_fail)
        assert policy.audit_steps
    assert shares & {NEW_AUDIT_PASS, NEW_AUDIT_FAIL}
    assert known


def test_the_defect_book_shows_what_people_drew_and_nothing_that_anybody_is_still_asked_about(plant):
    store, _, _ = plant
    pages = [page for site in SITES for page in store.book.pages(site.name) if page.examples]
    assert pages
    waiting = {task.part_id for task in store.queue.next(200, now=NOW)}
    for page in pages:
        for one in page.examples:
            image = store.images.many([one.image_id])[one.image_id]
            assert image.part_id not in waiting
            if one.kind is ExampleKind.GOOD:
                label = store.labels.many([one.image_id])[one.image_id]
                assert page.class_id in label.classes
                assert any(
                    (r.x, r.y, r.width, r.height) == one.box for r in label.regions if r.class_id == page.class_id
                )


def test_demo_people_have_their_roles_and_no_password_that_anybody_knows(plant):
    store, _, report = plant
    people = {person.name: person for person in store.people.all()}
    for worker in PEOPLE:
        assert people[worker.name].role is worker.role
        assert people[worker.name].demo
        with pytest.raises((BadInput, NotAllowed)):
            store.people.sign_in(worker.name, worker.name, now=NOW)
    assert "password" not in json.dumps(report)


def test_answers_are_given_by_inspectors_after_the_decision_and_before_now(plant):
    store, _, _ = plant
    inspectors = {worker.name for worker in PEOPLE if worker.role is Role.INSPECTOR} | {"henrik"}  # he settles
    told = Counter()
    for site in SITES:
        for part_id in {image.part_id for image in store.images.find(site=site.name, limit=1000)}:
            first = store.parts.history(part_id)[0]
            for review in store.reviews.of_part(part_id):
                told[review.verdict] += 1
                assert review.by in inspectors
                assert first.decided_at < review.reviewed_at < NOW
                assert review.seconds is not None
    assert set(told) - {Verdict.UNSURE}


def test_only_parts_of_today_wait_in_the_queue(plant):
    store, _, _ = plant
    today = {part.name for part in parts(1, IMAGES, NOW) if part.today}
    inspector = store.acting_as(Actor("priya"))
    waiting = inspector.queue.next(500, now=NOW)
    assert waiting
    known = {item.part_id for site in SITES for item in store.acting_as(Actor("marta")).gold.items(site.name)}
    old = {task.part_id for task in waiting if store.parts.get(task.part_id).name not in today}
    assert old <= known


def test_more_pictures_later_add_parts_and_leave_the_others(tmp_path):
    settings = Settings(home=tmp_path, offline=True, threads=1, decoders=1)
    store = open_store(settings.database_url)
    demo(store, settings, 8, now=NOW)
    before = {image.capture.source for site in SITES for image in store.images.find(site=site.name, limit=1000)}
    more = demo(store, settings, 14, now=NOW + timedelta(days=1))
    after = {image.capture.source for site in SITES for image in store.images.find(site=site.name, limit=1000)}
    assert before < after
    assert (more["images"], more["known"]) == (14, 8)
    store.close()


def test_an_interrupted_run_goes_on_where_it_was(tmp_path):
    settings = Settings(home=tmp_path, offline=True, threads=1, decoders=1)
    store = open_store(settings.database_url)

    def interrupt(done: int, total: int, message: str) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo(store, settings, 16, now=NOW, progress=interrupt)
    assert not store.queue.counts(now=NOW).leased
    report = demo(store, settings, 16, now=NOW + timedelta(hours=1))
    assert report["images"] == 16
    assert 0 < report["known"] < 16
    filed = [image.capture.source for site in SITES for image in store.images.find(site=site.name, limit=1000)]
    assert len(filed) == len(set(filed)) == 16
    store.close()


def test_live_parts_arrive_view_by_view_at_conveyor_rate_until_the_time_is_up(plant):
    store, settings, _ = plant
    clock = [NOW + timedelta(hours=1)]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += timedelta(seconds=seconds)

    before = store.images.count()
    report = live(store, settings, rate=24, minutes=0.2, now=lambda: clock[0], sleep=sleep)
    assert report["parts"] in (4, 5)
    assert store.images.count() - before >= report["images"] >= report["parts"]
    assert 8 < sum(slept) < 30
    assert sum(report["decisions"].values()) >= 3


def test_live_stops_when_asked_and_refuses_an_impossible_rate(plant):
    store, settings, _ = plant
    assert live(store, settings, stopped=lambda: True)["images"] == 0
    with pytest.raises(BadInput, match="parts a minute"):
        live(store, settings, rate=0)
