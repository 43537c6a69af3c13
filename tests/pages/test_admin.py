"""The administrator's pages: people, sites, audit, upkeep; and what happens when a role is taken away meanwhile."""

import pytest
import sqlalchemy as sa

from app import context, office
from app.jobs.upkeep import sealing
from app.state import FormState, PeopleState
from core.retention import DataClass
from core.roles import Actor, Role
from data.store import open_store
from data.store.engine.unlocked import unlocked
from tests.small_plant import OTHER, PASSWORD, SITE


def store_of(plant, who="Ada"):
    return open_store(plant.url, Actor(who))


def one(found, label):
    return next(item for item in found if item.label == label)


def press(page, label):
    one(page.button, label).click().run()
    assert not page.exception
    return page


def by_key(found, key):
    return next(item for item in found if item.key == key)


def change(page, name):
    by_key(page.button, f"people.change.{name}").click().run()
    assert not page.exception
    return page


def test_somebody_gets_another_role_other_sites_and_a_new_password(app, plant, template):
    page = change(app("Ada", "admin/people"), "Ines")
    by_key(page.selectbox, "people.role.Ines").set_value("qa_lead").run()
    people = {person.name: person for person in store_of(plant).people.all()}
    assert people["Ines"].role is Role.QA_LEAD
    assert open_store(plant.url).people.who(template[1]["Ines"]) is None  # and signs in again
    by_key(page.multiselect, "people.sites.Ines").set_value([SITE, OTHER])
    press(page, "Set sites")
    assert next(person for person in store_of(plant).people.all() if person.name == "Ines").sites == (SITE, OTHER)
    by_key(page.text_input, "people.password.Ines").set_value("another good long phrase")
    press(page, "Set the password")
    assert open_store(plant.url).people.sign_in("Ines", "another good long phrase")
    assert "new password" in page.success[0].value


def test_ones_own_account_is_only_shown(app):
    page = change(app("Ada", "admin/people"), "Ada")
    assert "Nobody changes their own account" in page.info[0].value
    assert not [box for box in page.selectbox if box.label == "Role"]


def test_nobody_raises_their_own_role_even_by_calling_the_act(app, plant, monkeypatch):
    app("Ada")
    view = FormState()
    monkeypatch.setattr(office, "typed", lambda key: "admin")
    office.set_role(view, "Ada", "x")
    assert "Nobody changes their own account" in view.failed
    app("Ines")
    office.set_role(view, "Ines", "x")
    assert "may not" in view.failed
    roles = {person.name: person.role for person in store_of(plant).people.all()}
    assert (roles["Ines"], roles["Ada"]) == (Role.INSPECTOR, Role.ADMIN)


def test_a_disabled_leaver_gives_up_their_name(app, plant):
    page = change(app("Ada", "admin/people"), "Tomas")
    press(page, "Disable")
    by_key(page.text_input, "people.leave.Tomas").set_value("Thomas")
    press(page, "Replace it")
    assert "Type the name" in page.error[0].value
    by_key(page.text_input, "people.leave.Tomas").set_value("Tomas")
    press(page, "Replace it")
    assert "Tomas" not in [person.name for person in store_of(plant).people.all()]


def test_a_name_that_has_to_wait_is_unlocked(app, plant):
    from core.errors import NotAllowed

    store = open_store(plant.url)
    for _ in range(5):
        with pytest.raises(NotAllowed):
            store.people.sign_in("Ines", "wrong")
    page = change(app("Ada", "admin/people"), "Ines")
    press(page, "Unlock")
    assert store.people.sign_in("Ines", PASSWORD)


def test_an_account_for_the_companys_sign_in_needs_no_password(app, plant, monkeypatch):
    monkeypatch.setenv("HOLDPOINT_OIDC_ISSUER", "https://id.example")
    page = app("Ada", "admin/people")
    one(page.text_input, "Name").set_value("Nina")
    one(page.text_input, "Address at the company's sign-in").set_value("Nina@plant.example")
    press(page, "Make the account")
    nina = next(person for person in store_of(plant).people.all() if person.name == "Nina")
    assert nina.identity == "nina@plant.example"


def test_a_site_is_made_and_its_settings_are_saved_at_once(app, plant):
    page = app("Ada", "admin/sites")
    one(page.text_input, "Name").set_value("Bern")
    press(page, "Make the site")
    assert "Bern" in [site.name for site in store_of(plant).sites.all()]
    by_key(page.selectbox, f"sites.zone.{SITE}").set_value("Europe/Rome").run()
    by_key(page.toggle, f"sites.ids.{SITE}").set_value(True).run()
    saved = store_of(plant).sites.get(SITE)
    assert (saved.timezone, saved.requires_ids) == ("Europe/Rome", True)


def test_cameras_and_lines_are_listed_with_their_last_picture_and_announced(app, plant):
    page = app("Ada", "admin/sites")
    assert list(page.dataframe[0].value["name"]) == ["cam 3", "line B"]
    [box for box in page.text_input if box.label == "Name"][-1].set_value("cam 4")
    press(page, "Add")
    assert "cam 4" in [found.name for found in store_of(plant).sites.names(SITE)]


def test_a_renamed_camera_keeps_its_pictures(app, plant):
    before = {one.id for one in store_of(plant).images.find(camera="cam 3")}
    page = app("Ada", "admin/sites")
    key = f"sites.rename.{SITE}.camera"
    by_key(page.toggle, f"{key}.show").set_value(True).run()
    by_key(page.text_input, f"{key}.new").set_value("north gate").run()
    press(page, "Rename")
    assert "north gate" in page.success[0].value
    assert {one.id for one in store_of(plant).images.find(camera="north gate")} == before != set()
    assert [one.action for one in store_of(plant).audit.recent(1)] == ["camera renamed"]


def test_people_change_their_own_password_and_sign_in_again(app, plant, template):
    other = "seven calm rivers at dusk"

    def ask(old, again):
        page = app("Ines")
        for label, text in (("Old password", old), ("New password", other), ("New password once more", again)):
            one(page.text_input, label).set_value(text)
        return press(page, "Change it")

    assert "two new passwords differ" in ask(PASSWORD, PASSWORD).error[0].value
    assert "old password is wrong" in ask("not at all this one", other).error[0].value
    store = open_store(plant.url)
    assert store.people.who(template[1]["Ines"]) is not None
    ask(PASSWORD, other)
    assert store.people.who(template[1]["Ines"]) is None
    assert store.people.sign_in("Ines", other)


def test_the_trail_is_filtered_by_who_what_and_where(app):
    page = app("Ada", "admin/audit")
    assert len(page.dataframe[0].value) > 5
    by_key(page.selectbox, "audit.act").set_value("person added").run()
    assert set(page.dataframe[0].value["act"]) == {"person added"}
    by_key(page.text_input, "audit.subject").set_value("person Ines").run()
    assert list(page.dataframe[0].value["about"]) == ["person Ines"]
    by_key(page.text_input, "audit.by").set_value("somebody").run()
    assert "No such event" in " ".join(text.value for text in page.markdown)


def test_the_trail_is_verified_by_a_button_that_names_what_was_edited(app, plant):
    page = app("Ada", "admin/audit")
    current = context.settings()
    sealing.seal(context.plant(), current, sealing.key_of(current))
    press(page, "Verify")
    assert "whole" in page.success[0].value
    store = open_store(plant.url)
    with store.database.transaction() as connection, unlocked(connection, "audit_events"):
        connection.execute(sa.text("UPDATE audit_events SET reason = 'x' WHERE id = 2"))
    press(page, "Verify")
    words = " ".join(error.value for error in page.error)
    assert "not as Holdpoint wrote it" in words
    assert "Event 2 was edited" in words


def test_a_qa_lead_reads_the_trail_but_manages_nobody(app):
    assert app("Quentin", "admin/audit").title[0].value == "Audit trail"
    with pytest.raises(ValueError, match="navigation page"):
        app("Quentin", "admin/people")


def test_retention_is_set_rehearsed_and_left_to_the_worker(app, plant):
    page = app("Ada", "admin/upkeep")
    by_key(page.toggle, "upkeep.ever.originals").set_value(False).run()
    by_key(page.number_input, "upkeep.days.originals").set_value(90)
    by_key(page.button, "upkeep.save.originals").click().run()
    assert store_of(plant).upkeep.rules() == {DataClass.ORIGINALS: 90}
    press(page, "Rehearse")
    press(page, "Delete it")
    jobs = store_of(plant).jobs.recent(kind="retention")
    assert [job.arguments["dry_run"] for job in jobs] == [False, True]


def test_a_backup_is_left_to_the_worker(app, plant):
    page = press(app("Ada", "admin/upkeep"), "Back up now")
    (job,) = store_of(plant).jobs.recent(kind="backup")
    assert (job.by, job.arguments) == ("Ada", {})
    assert "Carry it" in page.success[0].value


@pytest.mark.parametrize(
    ("path", "label", "who"),
    [
        ("admin/upkeep", "Back up now", "Ada"),
        ("admin/quarantine", "Read again", "Quentin"),
        ("science/taxonomy", "Crack", "Dora"),
        ("science/export", "Export", "Dora"),
    ],
)
def test_a_role_taken_away_while_the_page_is_open_stops_the_act(app, plant, path, label, who):
    page = app(who, path)
    button = one(page.button, label)
    boss = open_store(plant.url)
    events = boss.audit.recent(1)[0].id
    with boss.database.transaction() as connection:  # not by `set_role`, which would end the session, too
        connection.execute(sa.text("UPDATE users SET role = 'viewer' WHERE name = :name"), {"name": who})
    button.click().run()
    assert boss.audit.recent(1)[0].id == events
    assert boss.jobs.recent() == []
    shown = " ".join(text.value for text in [*page.error, *page.title])
    assert "may not" in shown or "is not for the role" in shown or "Home" in shown


def test_a_session_that_was_ended_while_the_page_is_open_stops_the_act(app, plant):
    page = app("Dora", "science/export")
    boss = open_store(plant.url)
    boss.people.set_role("Dora", Role.VIEWER)
    one(page.button, "Export").click().run()
    assert page.title[0].value == "Signed out"
    assert boss.jobs.recent() == []


def test_a_fragment_asks_again_who_may_see(app, plant, template, monkeypatch):
    """Fragments run again without the page around them: the store is asked each time, as whoever is signed in."""
    app("Dora", "science/export")
    from app.widgets import jobs

    boss = open_store(plant.url)
    number = boss.acting_as(Actor("Dora")).jobs.submit("export", {})
    boss.people.disable("Dora")
    from core.errors import NotAllowed

    for act in (lambda: jobs.follow.__wrapped__(number), lambda: jobs.recent_jobs.__wrapped__()):
        with pytest.raises(NotAllowed):
            act()
    jobs._cancel(number)
    assert boss.jobs.get(number).cancel is False


def test_a_viewer_sees_and_has_nothing_to_press_that_acts(app, plant):
    page = app("Vera")
    acting = {"Cancel", "Export", "Restore", "Read again", "Save", "Propose", "Put in force"}
    assert not acting & {button.label for button in page.button}
    assert [button.label for button in page.button if button.key and button.key.startswith("home.")] == ["Open models"]
    assert app("Vera", "science/models").title[0].value == "Models"


def test_choosing_somebody_forgets_the_last_answer():
    view = PeopleState(message="done", failed="not done")
    office.choose(view, "Ines")
    assert (view.choice, view.message, view.failed) == ("Ines", "", "")


def test_the_privacy_section_says_where_each_site_stands_and_sets_what_is_covered(app, plant):
    page = app("Ada", "admin/upkeep")
    assert "Privacy" in [one.value for one in page.subheader]
    by_key(page.radio, f"privacy.mode.{SITE}.0").set_value("always")
    by_key(page.text_input, f"privacy.reason.{SITE}").set_value("visitors walk by")
    by_key(page.button, "privacy.save").click().run()
    assert not page.exception
    rule = store_of(plant).privacy.rule(SITE)
    assert (str(rule.mode), rule.by, rule.reason) == ("always", "Ada", "visitors walk by")
    page = press(page, "Look now")
    (job,) = store_of(plant).jobs.recent(5, kind="covering")
    assert job.by == "Ada"
