"""What is covered, for whom, and what is left in the trail; on both databases."""

from dataclasses import replace

import pytest

from core.errors import BadInput, Conflict, NotAllowed
from core.pictures.covering import Cover, Covering
from core.privacy import NOT_YET, PLAIN, Mode, View
from core.roles import Role
from core.words.prints import Print, Reading
from data.store.line.privacy import EXPORTED, SEEN
from tests.data.store.plant import arrival, file, person, site

FACE = Cover("face", (40.0, 30.0, 60.0, 60.0), "a test")
FOUND = Covering((FACE,), None, ("a test",))
NOTHING = Covering((), None, ("a test",))
FAILED = Covering((), "the finder fell over", ("a test",))
READ = Reading((Print("Anna Lindqvist", 0.9, (10, 10, 100, 20)),), "test")


@pytest.fixture
def plant(store):
    """A site with one picture and somebody of each role."""
    site(store)
    file(store, arrival(1))
    people = {role: person(store, role.value, role) for role in Role}
    (image,) = store.images.find(site="Lyon")
    return store, people, image.id


def always(store):
    store.privacy.set_rule("Lyon", Mode.ALWAYS, "people walk through the picture")


def looks(store):
    return store.audit.recent(50, action=SEEN)


def test_where_nobody_has_set_anything_a_picture_without_print_is_plain_for_everybody(plant):
    store, people, image = plant
    assert store.privacy.rule("Lyon").mode is Mode.LABELS
    assert {role: one.privacy.look(image) for role, one in people.items()} == dict.fromkeys(people, PLAIN)
    assert looks(store) == []


def test_a_picture_whose_label_was_read_is_withheld_until_somebody_has_looked(store):
    site(store)
    file(store, replace(arrival(1), reading=READ))
    ines = person(store, "ines", Role.INSPECTOR)
    (image,) = store.images.find(site="Lyon")
    assert ines.privacy.look(image.id) == View(withheld=NOT_YET)
    assert [one.reading for one in store.privacy.waiting()] == [READ]
    store.privacy.found([(image.id, FOUND)])
    assert ines.privacy.look(image.id) == View((FACE,))
    assert store.privacy.waiting() == []


def test_what_the_line_found_is_filed_with_the_picture(store):
    site(store)
    file(store, replace(arrival(1), reading=READ, covering=FOUND))
    (image,) = store.images.find(site="Lyon")
    (found,) = store.privacy.of(image.id)
    assert found.covering == FOUND
    assert person(store, "ines", Role.INSPECTOR).privacy.look(image.id).covers == (FACE,)


def test_only_roles_with_the_right_see_an_original_and_it_leaves_an_event(plant):
    store, people, image = plant
    always(store)
    store.privacy.found([(image, FOUND)])
    shown = {role: one.privacy.look(image) for role, one in people.items()}
    assert {role for role, one in shown.items() if one.uncovered} == {Role.ADMIN, Role.QA_LEAD}
    assert all(one.covers == (FACE,) for role, one in shown.items() if role not in (Role.ADMIN, Role.QA_LEAD))
    assert sorted((one.by, one.subject) for one in looks(store)) == [
        ("admin", f"image {image}"),
        ("qa_lead", f"image {image}"),
    ]


def test_one_look_is_one_event_and_a_later_look_is_another(plant, clock):
    store, people, image = plant
    always(store)
    store.privacy.found([(image, FOUND)])
    lead = people[Role.QA_LEAD]
    lead.privacy.look(image)
    clock.pass_(minutes=4)
    lead.privacy.look(image)
    assert len(looks(store)) == 1
    clock.pass_(minutes=2)
    lead.privacy.look(image)
    assert len(looks(store)) == 2


def test_a_failed_finder_withholds_the_whole_picture_and_a_later_good_look_shows_it(plant):
    store, people, image = plant
    always(store)
    inspector = people[Role.INSPECTOR]
    assert inspector.privacy.look(image) == View(withheld=NOT_YET)
    store.privacy.found([(image, FAILED)])
    assert inspector.privacy.look(image) == View(withheld="the finder fell over")
    assert people[Role.QA_LEAD].privacy.look(image).uncovered
    assert [one.image.id for one in store.privacy.waiting("Lyon")] == [image]
    assert store.privacy.waiting_count("Lyon", new=True) == 0
    store.privacy.found([(image, NOTHING)])
    assert inspector.privacy.look(image) == PLAIN
    assert people[Role.QA_LEAD].privacy.look(image) == PLAIN


def test_never_covers_nothing_from_the_next_look_on(plant):
    store, people, image = plant
    always(store)
    store.privacy.found([(image, FOUND)])
    store.privacy.set_rule("Lyon", Mode.NEVER, "the camera sees a bare shaft only")
    assert people[Role.VIEWER].privacy.look(image) == PLAIN


def test_a_rule_has_a_reason_a_number_and_leaves_an_event(plant):
    store, people, _ = plant
    admin = people[Role.ADMIN]
    with pytest.raises(BadInput):
        admin.privacy.set_rule("Lyon", Mode.ALWAYS, "  ")
    with pytest.raises(BadInput):
        admin.privacy.set_rule("Lyon", Mode.ALWAYS, "why", "France")
    made = admin.privacy.set_rule("Lyon", Mode.ALWAYS, "visitors", "fr", seen=0)
    assert (made.number, made.region) == (1, "FR")
    with pytest.raises(Conflict):
        admin.privacy.set_rule("Lyon", Mode.NEVER, "why", seen=0)
    with pytest.raises(NotAllowed):
        people[Role.QA_LEAD].privacy.set_rule("Lyon", Mode.NEVER, "why")
    (event,) = store.audit.recent(5, action="covering set")
    assert (event.by, event.new["mode"], event.reason) == ("admin", "always", "visitors")


def test_an_export_says_how_each_picture_leaves_and_counts_what_leaves_uncovered(plant):
    store, people, image = plant
    always(store)
    store.privacy.found([(image, FOUND)])
    assert people[Role.DATA_SCIENTIST].privacy.for_export([image]) == {image: View((FACE,))}
    assert store.audit.recent(5, action=EXPORTED) == []
    assert people[Role.QA_LEAD].privacy.for_export([image])[image].uncovered
    assert people[Role.QA_LEAD].privacy.outside(image) == View((FACE,))
    (event,) = store.audit.recent(5, action=EXPORTED)
    assert event.new == {"count": 1, "images": [image]}


def test_a_person_of_another_site_sees_and_learns_nothing(plant):
    store, _, image = plant
    site(store, "Oslo")
    always(store)
    olga = person(store, "olga", Role.QA_LEAD, sites=["Oslo"])
    for asked in (olga.privacy.look, olga.privacy.of):
        with pytest.raises(NotAllowed):
            asked(image)
    assert olga.privacy.for_export([image]) == {}


def test_where_a_site_stands_is_counted(plant):
    store, _, image = plant
    always(store)
    (before,) = store.privacy.status()
    assert (before.looked, before.covered, before.failed, before.waiting) == (0, 0, 0, 1)
    store.privacy.found([(image, FAILED)])
    store.privacy.found([(image, FOUND)])
    (after,) = store.privacy.status()
    assert (after.looked, after.covered, after.failed, after.waiting) == (1, 1, 0, 0)
    assert [one.covering for one in store.privacy.recent("Lyon")] == [FOUND, FAILED]
