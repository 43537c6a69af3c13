"""The pages of the office: each act reaches the store, in the name of who did it, and says how it went."""

import io
import zipfile

import pytest

from app import acts, office
from app.state import FormState
from core.roles import Actor, Role
from data.store import open_store
from tests.small_plant import PASSWORD, SITE


def store_of(plant, who):
    return open_store(plant.url, Actor(who))


def press(page, label):
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def field(page, kind, label):
    return next(one for one in getattr(page, kind) if one.label.startswith(label))


def test_an_unmapped_name_is_mapped_with_one_click(app, plant):
    page = app("Dora", "science/taxonomy")
    assert [text.value for text in page.text] == ["hairline"]
    press(page, "Crack")
    assert store_of(plant, "Dora").taxonomies.unmapped(SITE) == []
    assert store_of(plant, "Dora").sites.get(SITE).taxonomy.match("hairline") == "CRACK"
    assert "means CRACK" in page.success[0].value.replace("\\", "")


def test_a_file_in_quarantine_shows_its_reason_and_is_read_again_on_request(app, plant):
    page = app("Dora", "admin/quarantine")
    words = " ".join(one.value for one in page.caption)
    assert "the file ends too early" in words
    press(page, "Read again")
    (job,) = store_of(plant, "Dora").jobs.recent()
    assert (job.kind, job.by) == ("reread", "Dora")


def test_a_qa_lead_has_a_quarantined_file_read_again(app, plant):
    press(app("Quentin", "admin/quarantine"), "Read again")
    (job,) = store_of(plant, "Quentin").jobs.recent()
    assert (job.kind, job.by) == ("reread", "Quentin")


def test_an_administrator_makes_an_account_that_can_sign_in(app, plant):
    page = app("Ada", "admin/people")
    field(page, "text_input", "Name").set_value("Nina")
    field(page, "text_input", "First password").set_value(PASSWORD)
    press(page, "Make the account")
    assert open_store(plant.url).people.sign_in("Nina", PASSWORD)


def test_a_short_password_is_refused_in_words(app):
    page = app("Ada", "admin/people")
    field(page, "text_input", "Name").set_value("Nina")
    field(page, "text_input", "First password").set_value("short")
    press(page, "Make the account")
    assert "15" in page.error[0].value


def test_disabling_somebody_ends_their_session(app, plant, template):
    page = app("Ada", "admin/people")
    next(button for button in page.button if button.key == "people.change.Ines").click().run()
    press(page, "Disable")
    assert open_store(plant.url).people.who(template[1]["Ines"]) is None


def test_a_policy_is_proposed_by_one_and_approved_by_another(app, plant):
    page = app("Quentin", "quality/policy")
    next(one for one in page.text_input if one.placeholder.startswith("One sentence")).set_value("four weeks measured")
    press(page, "Propose")
    assert store_of(plant, "Quentin").policies.in_force(SITE) is None
    own = app("Quentin", "quality/policy")
    assert "Put in force" not in [button.label for button in own.button]
    other = app("Ada", "quality/policy")
    field(other, "text_input", "Why these").set_value("agreed")
    press(other, "Put in force")
    assert store_of(plant, "Ada").policies.in_force(SITE).approved_by == "Ada"


def test_a_part_type_is_saved_as_chosen(app, plant):
    page = app("Quentin", "quality/parttypes")
    field(page, "select_slider", "Working scale").set_value(0.5).run()
    field(page, "toggle", "Score the whole").set_value(True).run()
    press(page, "Save")
    saved = store_of(plant, "Quentin").part_types.get(SITE, "bracket")
    assert (saved.scale, saved.whole_picture, saved.stride) == (0.5, True, 128)


def test_an_export_is_left_to_the_worker_and_the_page_says_when_none_runs(app, plant):
    page = app("Dora", "science/export")
    assert "No worker is running" in page.warning[0].value
    press(page, "Export")
    (job,) = store_of(plant, "Dora").jobs.recent()
    assert (job.kind, job.by, job.arguments["format"]) == ("export", "Dora", "coco")
    assert str(job.arguments["dest"]).startswith(str(plant.home / "exports"))


def test_a_job_that_waits_can_be_cancelled_from_home(app, plant):
    press(app("Dora", "science/export"), "Export")
    press(app("Dora"), "Cancel")
    assert store_of(plant, "Dora").jobs.recent()[0].state == "cancelled"


def test_an_uploaded_zip_is_unpacked_below_home_and_imported_by_the_worker(app, plant):
    app("Dora", "science/import")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("good/a.txt", b"x")
    buffer.seek(0)
    view = FormState()
    acts.submit_import(view, site=SITE, upload=buffer, folder=None, format_name="auto", own=False,
                       empty_is_good=False, dry_run=True)  # fmt: skip
    (job,) = store_of(plant, "Dora").jobs.recent()
    assert (job.kind, job.arguments["dry_run"], job.arguments["site"]) == ("import", True, SITE)
    assert str(job.arguments["source"]).startswith(str(plant.home / "uploads"))
    assert not view.failed


@pytest.mark.parametrize("folder", ["/etc", "../..", "not-there"])
def test_a_path_is_never_taken_from_a_form(app, plant, folder):
    app("Dora", "science/import")
    view = FormState()
    acts.submit_import(view, site=SITE, upload=None, folder=folder, format_name="auto", own=False,
                       empty_is_good=False, dry_run=True)  # fmt: skip
    assert "choose a folder of the inbox" in view.failed
    assert store_of(plant, "Dora").jobs.recent() == []


def test_a_folder_of_the_inbox_may_be_chosen_but_no_link_out_of_it(app, plant, tmp_path):
    app("Dora", "science/import")
    (plant.home / "inbox" / "march").mkdir(parents=True)
    (plant.home / "inbox" / "out").symlink_to(tmp_path)
    assert acts.inbox_folders() == ["march"]


def test_somebody_without_the_right_gets_the_stores_refusal(app, plant):
    app("Ines")
    view = FormState()
    acts.map_name(view, SITE, "hairline", "CRACK")
    assert "may not" in view.failed
    office.add_person(view, "Eve", Role.ADMIN, (), PASSWORD)
    assert "may not" in view.failed


def test_without_a_model_the_models_page_says_how_to_get_one(app):
    page = app("Dora", "science/models")
    assert "No model yet" in " ".join(one.value for one in page.markdown)
