from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice

from core.errors import Unreadable
from core.pictures.decode import decode
from core.roles import Role
from data.demo.optics import STEADY
from data.demo.plan import HISTORY_DAYS, Damage, live_parts, parts, planned_part, taken
from data.demo.plant import CAMERAS, LINES, PEOPLE, SITES, TOLD_BY_READING, inspectors_at
from data.demo.study import fresh_parts, study
from data.taxonomies import shipped

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
PLAN = parts(1, 300, NOW)


def test_the_plant_has_three_sites_four_lines_and_eight_cameras_each_with_its_own_light():
    assert len(SITES) == 3
    assert len(LINES) == 4
    assert len(CAMERAS) == 8
    assert {view.camera for line in LINES for view in line.views} == set(CAMERAS)
    assert len({(c.lamp_xy, c.light_xy, c.vignette, c.noise) for c in CAMERAS.values()}) == 8
    assert sum(site.calibration_lapsed for site in SITES) == 1


def test_every_role_is_there_and_a_second_look_always_finds_a_second_person():
    assert {person.role for person in PEOPLE} == set(Role)
    assert sum(person.role is Role.QA_LEAD for person in PEOPLE) >= 2
    assert all(len(inspectors_at(site.name)) >= 2 for site in SITES)


def test_every_line_draws_only_classes_of_its_site():
    taxonomies = {site.name: {one.id for one in shipped(site.taxonomy).classes} for site in SITES}
    for line in LINES:
        assert set(line.flaws) <= taxonomies[line.site]
        assert set(line.part.views) == {view.name for view in line.views}


def test_a_plan_has_exactly_the_pictures_asked_for():
    for images in (0, 1, 20, 299, 300):
        assert sum(len(part.shots) for part in parts(1, images, NOW)) == images


def test_a_plan_is_the_same_every_time_and_another_seed_gives_another():
    assert parts(1, 300, NOW) == PLAN
    assert parts(2, 300, NOW) != PLAN


def test_a_longer_plan_holds_every_part_of_a_shorter_one():
    longer = {part.name: part for part in parts(1, 420, NOW)}
    cut = max(part.number for part in PLAN)
    assert all(longer[part.name] == part for part in PLAN if part.number != cut)


def test_history_goes_back_for_weeks_and_ends_now_with_a_shift_of_today():
    assert all(part.at < NOW and part.at.tzinfo is UTC for part in PLAN)
    past = [part for part in PLAN if not part.today]
    assert min(part.at for part in past) < NOW - timedelta(days=HISTORY_DAYS * 2 / 3)
    assert max(part.at for part in past) < min(part.at for part in PLAN if part.today)
    assert 30 <= sum(part.today for part in PLAN) <= 80
    assert all(part.at.weekday() != 6 for part in past)
    assert [part.at for part in PLAN] == sorted(part.at for part in PLAN)


def test_every_class_of_every_line_appears_sooner_or_later():
    many = parts(1, 6000, NOW)
    for line in LINES:
        drawn = {
            flaw.class_id for part in many if part.line == line for shot in part.shots for flaw in shot.scene.flaws
        }
        assert drawn == set(line.flaws), line.name


def test_a_label_is_wrong_only_where_there_is_a_label():
    for part in parts(1, 3000, NOW):
        for shot in part.shots:
            if any("LABEL" in flaw.class_id or flaw.class_id == "EXPIRED" for flaw in shot.scene.flaws):
                assert shot.scene.kind == "box_top"


def test_no_two_pictures_share_a_file():
    files = [shot.file for part in parts(1, 3000, NOW) for shot in part.shots]
    assert len(set(files)) == len(files)


def test_a_file_carries_its_time_camera_and_exposure():
    part = next(part for part in PLAN if part.line.name == "B milling" and not any(s.damage for s in part.shots))
    shot = part.shots[-1]
    read = decode(taken(part, shot)[0])
    assert read.taken_at == part.taken_at(shot)
    assert read.exposure.iso == shot.scene.camera.iso
    assert read.exposure.aperture == shot.scene.camera.aperture


def test_files_break_in_each_way_and_rarely():
    damaged = [(part, shot) for part in parts(1, 4000, NOW) for shot in part.shots if shot.damage]
    assert 20 < len(damaged) < 120
    assert {shot.damage for _, shot in damaged} == set(Damage) - {Damage.NONE}
    for part, shot in islice(damaged, 5):
        data, truth = taken(part, shot)
        assert not truth
        try:
            decode(data)
        except Unreadable:
            continue
        raise AssertionError(f"{shot.damage} was read")


def test_a_frozen_camera_delivers_the_same_bytes_again():
    part, shot = next((p, s) for p in parts(1, 4000, NOW) for s in p.shots if s.repeats and not s.repeats.damage)
    assert taken(part, shot) == taken(part, shot.repeats)


def test_live_parts_come_at_the_rate_and_never_meet_those_of_the_history():
    coming = list(islice(live_parts(1, NOW, 24.0), 48))
    assert coming[-1].at - coming[0].at == timedelta(minutes=47 / 24)
    assert not {part.name for part in coming} & {part.name for part in PLAN}
    assert not {s.file for p in coming for s in p.shots} & {s.file for p in PLAN for s in p.shots}


def test_a_part_does_not_depend_on_the_others():
    assert planned_part(1, 17, NOW) == planned_part(1, 17, NOW)


def test_pictures_to_learn_from_are_half_defective_and_split_by_part():
    pictures = list(study([line for line in LINES if line.part.name == "plate"], 60, seed=5))
    assert 15 < sum(bool(picture.regions) for picture in pictures) < 45
    splits = {(picture.group, picture.split) for picture in pictures}
    assert len(splits) == len({group for group, _ in splits})
    assert Counter(split for _, split in splits)["train"] > len(splits) / 2


def test_nothing_is_to_be_learned_that_only_reading_tells():
    pictures = study([line for line in LINES if line.part.name == "carton"], 40, seed=5)
    assert not {region.name for picture in pictures for region in picture.regions} & set(TOLD_BY_READING)


def test_fresh_parts_are_whole_undisturbed_and_as_often_defective_as_good():
    lines = [line for line in LINES if line.site == "Lyon"]
    drawn = list(fresh_parts(lines, 12, seed=9))
    flawed = [any(shot.scene.flaws for shot in part.shots) for part in drawn]
    assert (len(drawn), sum(flawed)) == (24, 12)
    assert all(part.line in lines and len(part.shots) == len(part.line.views) for part in drawn)
    assert all(shot.scene.mishap == STEADY and not shot.damage for part in drawn for shot in part.shots)
