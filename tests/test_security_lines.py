"""The security checklist, line by line, with the tests that fail when a line no longer holds.

A line without a test here is named with what it waits for: the checklist is complete, the project is not yet.
"""

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent
SHIPPED = [
    file
    for folder in ("app", "core", "data", "models", "pages")
    for file in sorted((ROOT / folder).rglob("*.py"))
    if "__pycache__" not in file.parts
]


@dataclass(frozen=True)
class Line:
    """One line of the checklist.

    Attributes:
        says: in a few words.
        tests: file and names of tests that fail without it.
        later: what of it belongs to something that is not built yet.
    """

    says: str
    tests: tuple[tuple[str, tuple[str, ...]], ...]
    later: str = ""


LINES: dict[int, Line] = {
    1: Line("every store function checks the permission, from the store, for this user and site", (
        ("data/store/test_permissions.py", (
            "test_each_role_may_do_what_the_table_says_and_no_more", "test_nobody_without_an_account_may_do_anything",
            "test_a_disabled_person_may_do_nothing_any_more", "test_a_site_that_was_not_given_is_closed",
            "test_every_public_method_of_the_store_is_in_this_table",
            "test_a_viewer_changes_nothing_whatever_is_called",
        )),
        ("pages/test_admin.py", (
            "test_a_role_taken_away_while_the_page_is_open_stops_the_act", "test_a_fragment_asks_again_who_may_see",
        )),
        ("e2e/test_rights.py", ("test_a_role_taken_away_while_the_page_is_open_stops_the_next_act",)),
    )),
    2: Line("one table of role and action, from which the tests are made", (
        ("data/store/test_permissions.py", ("test_each_role_may_do_what_the_table_says_and_no_more",)),
        ("pages/test_pages.py", ("test_a_page_is_not_there_for_another_role",)),
    )),
    3: Line("nobody raises their own role or approves their own proposal", (
        ("data/store/test_people.py", ("test_nobody_raises_their_own_role_or_sites",)),
        ("data/store/test_policies.py", ("test_a_policy_is_in_force_once_somebody_else_has_approved_it",)),
        ("pages/test_admin.py", ("test_nobody_raises_their_own_role_even_by_calling_the_act",)),
    )),
    4: Line("pages come from the navigation of the role, and no others", (
        ("test_security_lines.py", ("test_streamlit_finds_no_page_by_itself",)),
        ("pages/test_pages.py", ("test_a_page_that_is_run_for_the_wrong_role_all_the_same_refuses",)),
        ("e2e/test_rights.py", (
            "test_a_page_that_is_not_for_a_role_is_not_reached_by_its_address",
            "test_signed_out_every_page_leads_to_the_sign_in",
        )),
    )),
    5: Line("passwords, sessions and cookies", (
        ("data/store/test_people.py", (
            "test_a_password_that_is_short_or_easy_to_guess_is_refused", "test_long_ones_of_any_characters_are_taken",
            "test_a_password_is_kept_as_argon2id_and_a_token_as_a_hash", "test_guessing_gets_slow_for_each_name",
            "test_signing_in_gives_a_new_session_that_expires", "test_disabling_and_a_new_password_end_every_session",
        )),
        ("app/test_web_routes.py", (
            "test_a_password_starts_a_session_in_a_cookie_that_scripts_cannot_read",
            "test_under_https_the_cookie_travels_no_other_way", "test_signing_out_ends_the_session_in_the_store",
        )),
        ("app/test_web_oidc.py", ("test_a_disabled_account_stays_closed_and_signing_out_ends_the_session",)),
    )),
    6: Line("no default password or key, no open registration", (
        ("data/store/test_people.py", ("test_a_fresh_store_has_nobody_in_it",)),
        ("app/jobs/upkeep/test_sealing.py", (
            "test_the_first_start_makes_a_key_that_only_its_owner_reads",
            "test_a_plant_with_a_sealed_trail_does_not_start_without_its_own_key",
        )),
        ("app/test_api.py", ("test_the_token_is_made_once_and_only_its_owner_reads_it",)),
        ("app/test_web_oidc.py", (
            "test_who_has_no_account_here_is_told_so_and_none_is_made",
            "test_the_server_refuses_to_start_with_half_a_configuration",
        )),
    )),
    7: Line("XSRF, CORS, hosts, origins, headers; no static files, driving API or trusted headers", (
        ("app/test_web_guard.py", (
            "test_the_server_refuses_to_start_with_a_protection_off",
            "test_the_server_refuses_to_start_with_no_host_list_or_with_trusted_headers",
            "test_the_shipped_configuration_holds_every_protection", "test_every_answer_carries_the_security_headers",
        )),
        ("e2e/test_rights.py", (
            "test_every_route_asks_for_the_host_and_no_answer_lacks_its_headers",
            "test_an_upload_needs_streamlits_own_cross_site_token_too",
        )),
    )),
    8: Line("uploads: not before sign-in, limits for each file and person", (
        ("app/test_web_guard.py", (
            "test_uploads_are_refused_before_sign_in",
            "test_an_upload_says_its_size_and_one_persons_have_a_limit_together",
        )),
        ("e2e/test_rights.py", ("test_signed_out_nothing_of_the_plant_is_served_and_no_upload_taken",)),
        ("test_security_lines.py", ("test_a_single_upload_has_a_limit",)),
        ("app/test_api.py", ("test_too_large_a_body_is_refused_whether_or_not_it_says_so",)),
    )),
    9: Line("text from people, files and cameras is data", (
        ("e2e/test_hostile.py", (
            "test_nothing_that_a_name_or_note_says_is_fetched_run_or_drawn",
            "test_the_sign_in_page_shows_a_hostile_message_as_text",
        )),
        ("app/widgets/test_text.py", ("test_no_markdown_or_html_survives",)),
        ("test_layout.py", ("test_no_shipped_code_catches_everything_or_loads_a_pickle",)),
        ("pages/test_claims.py", ("test_markup_in_a_sentence_is_shown_as_text",)),
        ("core/words/claims/test_judging.py", (
            "test_no_text_changes_what_is_found_of_the_sentence_beside_it",
            "test_no_text_confirms_damage_on_a_part_that_people_called_good",
        )),
    )),
    10: Line("SQL values only as parameters, names only from our own lists", (
        ("test_security_lines.py", ("test_no_sql_is_put_together_from_what_somebody_typed",)),
        ("data/analytics/test_sql.py", (
            "test_no_program_puts_anything_but_its_own_names_into_sql",
            "test_a_crafted_value_is_a_value_that_nothing_equals",
        )),
        ("data/analytics/test_publish.py", (
            "test_the_database_that_answers_reads_no_file_and_keeps_its_settings",
        )),
        ("app/kpis/test_charts.py", ("test_a_crafted_name_never_reaches_a_query",)),
    )),
    11: Line("formats by content and extension; paths only below the folder given; a changed file says so", (
        ("data/formats/test_sources.py", (
            "test_only_plain_paths_below_the_folder_are_followed", "test_links_are_followed_before_they_are_judged",
        )),
        ("pages/test_office.py", (
            "test_a_path_is_never_taken_from_a_form", "test_a_folder_of_the_inbox_may_be_chosen_but_no_link_out_of_it",
        )),
        ("app/test_web_routes.py", ("test_a_changed_file_is_shown_as_changed_and_remembered",)),
    )),
    12: Line("one decoder, in a limited child process, and whole files only", (
        ("core/pictures/test_sandbox.py", (
            "test_a_picture_that_takes_too_long_is_stopped_and_the_next_ones_go_on",
            "test_a_picture_that_eats_memory_is_refused_and_the_machine_lives",
            "test_no_secret_of_the_parent_reaches_the_child",
        )),
        ("core/pictures/test_decode.py", ("test_a_sixteen_bit_picture_is_never_stretched_to_its_own_brightest_pixel",)),
    )),
    13: Line("the inbox: whole files, known by hash and capture", (
        ("data/store/test_filing.py", (
            "test_the_same_bytes_from_the_same_place_are_known",
            "test_the_same_bytes_from_another_capture_hold_their_part",
        )),
    )),
    14: Line("zip, CSV, JSON and YAML have limits and safe readers", (
        ("app/test_web_unpack.py", (
            "test_a_name_that_leads_out_is_refused_with_everything", "test_a_link_is_refused",
            "test_an_archive_in_the_archive_is_refused", "test_a_bomb_is_stopped_while_it_unpacks",
            "test_total_size_and_number_are_limited",
        )),
        ("data/formats/test_sources.py", (
            "test_csv_limits_hold", "test_json_is_json_or_refused", "test_yaml_runs_nothing",
            "test_xml_is_plain_or_refused",
        )),
    )),
    15: Line("exports: harmless cells, whole or not at all, no place", (
        ("data/formats/test_contract.py", ("test_no_cell_or_line_of_an_export_begins_a_formula",)),
        ("app/jobs/science/test_exports.py", (
            "test_the_place_where_a_picture_was_taken_is_not_exported",
            "test_an_export_that_fails_leaves_nothing_and_keeps_the_old_one",
        )),
    )),
    16: Line("models: safetensors, pinned, self-checked, no loader that runs code", (
        ("models/test_checkpoint.py", ("test_pickled_weights_are_refused_unopened",)),
        ("models/test_nets.py", ("test_pickles_are_refused_before_they_are_opened",)),
        ("test_layout.py", ("test_no_shipped_code_catches_everything_or_loads_a_pickle",)),
    ), later="conversion of other formats as an admin command"),
    17: Line("caches by content hash, never by Streamlit's hash of a picture", (
        ("test_security_lines.py", ("test_nothing_is_cached_by_streamlits_hash",)),
        ("app/test_web_pictures.py", (
            "test_a_crop_is_made_once_while_it_is_remembered_and_never_from_a_changed_file",
        )),
    )),
    18: Line("a claim is one statement, with a fence; saves carry their version", (
        ("data/store/test_queue.py", (
            "test_two_people_never_get_the_same_task", "test_a_lease_lapses_by_itself_and_the_old_one_cannot_save",
        )),
        ("data/store/test_reviews.py", ("test_one_key_pressed_twice_saves_once",)),
        ("data/store/test_database.py", ("test_two_processes_never_hold_the_same_task",)),
    )),
    19: Line("one transaction; a store that keeps what it acknowledged; backups by the backup API", (
        ("data/store/test_filing.py", ("test_nothing_of_a_batch_stays_when_it_fails_half_way",)),
        ("data/store/test_database.py", (
            "test_sqlite_is_told_to_keep_what_it_acknowledges", "test_writers_pass_in_turn",
            "test_an_old_sqlite_gets_a_rollback_journal_and_says_so", "test_a_killed_writer_leaves_whole_batches_only",
        )),
        ("app/jobs/upkeep/test_backups.py", ("test_a_backup_comes_back_row_by_row",)),
    )),
    20: Line("anything that fails is HOLD", (
        ("core/decide/test_decision.py", (
            "test_one_picture_with_anything_wrong_holds_the_part",
            "test_pass_needs_every_picture_scored_under_the_threshold_of_an_approved_policy",
        )),
        ("data/store/test_filing.py", ("test_a_model_that_answers_nonsense_holds",)),
        ("app/test_api.py", ("test_a_model_that_fails_is_answered_with_hold", "test_no_answer_in_time_is_hold")),
    )),
    21: Line("the trail is append-only and sealed, its head exported, and every change is found", (
        ("data/store/test_database.py", ("test_history_refuses_to_be_changed",)),
        ("data/store/test_seals.py", (
            "test_an_edited_event_is_found_and_named", "test_a_removed_event_is_found_and_named",
            "test_swapped_events_are_found_and_named", "test_an_inserted_event_is_found_and_named",
            "test_a_tail_that_was_cut_off_is_found_by_a_head_kept_elsewhere", "test_several_processes_seal_one_chain",
            "test_the_key_is_in_no_table",
        )),
        ("app/jobs/upkeep/test_sealing.py", (
            "test_an_act_is_sealed_within_a_second_or_two_by_whoever_writes",
            "test_a_head_is_kept_for_every_day_and_one_that_only_grows",
        )),
        ("app/test_cli_office.py", ("test_verify_says_which_event_was_meddled_with_and_fails",)),
    )),
    22: Line("retention is recorded; a leaver's name goes and the chain holds", (
        ("app/jobs/upkeep/test_retention.py", ("test_originals_in_our_own_folder_go_and_others_never",)),
        ("data/store/test_upkeep.py", (
            "test_only_old_pictures_without_an_open_task_may_go",
            "test_old_rows_of_the_trail_go_and_the_chain_still_holds",
            "test_a_leaver_is_a_number_in_every_table_and_stays_so",
        )),
        ("data/store/test_seals.py", ("test_a_leavers_name_is_replaced_and_the_chain_still_holds",)),
    )),
    23: Line("the explainer: off by default, no tools, a crop and asked fields, short text that changes nothing", (
        ("app/jobs/words/test_describing.py", (
            "test_the_settings_are_off_by_default", "test_what_is_sent_is_one_small_picture_and_typed_evidence",
            "test_what_is_personal_in_the_picture_is_covered_before_it_is_sent",
            "test_a_hostile_answer_changes_nothing_but_the_count_of_struck_sentences",
            "test_a_broken_answer_leaves_the_text_of_the_record_and_says_so",
            "test_addresses_that_are_neither_https_nor_on_this_machine_are_refused",
        )),
    )),
    24: Line("webhooks and e-mail: allowed hosts and addresses, signed, retried, no secret told", (
        ("app/jobs/quality/test_notices.py", (
            "test_a_webhook_gets_the_alarm_signed_with_time_and_id_and_gets_it_once",
            "test_a_host_that_is_not_allowed_is_never_reached_and_the_reason_names_no_secret",
            "test_a_private_address_behind_a_public_name_is_refused", "test_a_redirect_leads_nowhere",
            "test_an_address_that_was_never_looked_up_cannot_be_connected_to",
            "test_what_fails_is_tried_again_later_and_later_and_given_up_in_the_end",
            "test_only_services_that_send_to_people_may_be_named",
        )),
    ), later="the line's own outbox of routes, which nothing sends yet"),
    25: Line("loopback and tokens; dependencies pinned with hashes", (
        ("app/test_api.py", ("test_without_the_token_nothing_is_read", "test_a_foreign_host_is_refused")),
        ("test_layout.py", ("test_the_lock_pins_every_requirement_with_a_hash",)),
    ), later="Ray, metrics and the nightly scan"),
}  # fmt: skip


def test_every_line_has_its_tests_or_says_what_it_waits_for():
    assert list(LINES) == list(range(1, 26))
    assert [number for number, line in LINES.items() if not line.tests and not line.later] == []


@pytest.mark.parametrize(("number", "line"), LINES.items(), ids=str)
def test_the_tests_of_a_line_exist(number: int, line: Line):
    for file, names in line.tests:
        tree = ast.parse((TESTS / file).read_text())
        there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert set(names) <= there, f"line {number}, {file}: {sorted(set(names) - there)}"


def test_streamlit_finds_no_page_by_itself():
    """A folder `pages/` beside the entry file would be served without the sign-in."""
    assert (ROOT / "app" / "main.py").is_file()
    assert not (ROOT / "app" / "pages").exists()
    assert not list((ROOT / "app").glob("[0-9]_*.py"))


def test_a_single_upload_has_a_limit():
    import tomllib

    server = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["server"]
    assert 0 < server["maxUploadSize"] <= 200


# Files that write names of tables, settings or kinds into SQL; every one of them is a constant of our own code.
NAMES_IN_SQL = {"data/store/engine/unlocked.py", "data/store/engine/database.py", "data/backup.py",
                "data/migrations/append_only.py", "data/store/engine/checkpoints.py", "data/store/desk/leasing.py",
                "data/analytics/publish.py", "data/analytics/read.py"}  # fmt: skip
MAKES_SQL = {"text", "exec_driver_sql", "literal_column", "execute"}


def test_no_sql_is_put_together_from_what_somebody_typed():
    found = []
    for file in SHIPPED:
        name = str(file.relative_to(ROOT))
        if name in NAMES_IN_SQL or "migrations/versions" in name:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            owner = getattr(getattr(node.func, "value", None), "id", "")
            glued = isinstance(node.args[0], ast.JoinedStr | ast.BinOp)
            if called in MAKES_SQL and owner in ("sa", "connection", "sqlalchemy", "copy") and glued:
                found.append(f"{name}:{node.lineno}")
    assert found == []


def test_nothing_is_cached_by_streamlits_hash():
    """It takes a sample of a large picture or table, so two of them can be one to it."""
    for file in SHIPPED:
        text = file.read_text()
        assert "cache_data" not in text, file
        assert "cache_resource" not in text, file
