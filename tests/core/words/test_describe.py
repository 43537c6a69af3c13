from datetime import UTC, datetime

from core.records import Decision, Outcome, Reason, Route
from core.words.claims.judging import check_text
from core.words.claims.records import Ruling
from core.words.describe import Facts, Kin, describe
from tests.core.words.claims.evidence import evidence, label, prediction, region, seen

HELD = Decision(1, 1, 1, Outcome.HOLD, (Reason("band", "The score lies in the band."),), Route.HOLD, 0.61, {}, 4,
                "net-1", datetime(2026, 3, 1, tzinfo=UTC))  # fmt: skip


def test_a_labelled_part_is_described_from_its_record() -> None:
    part = evidence(seen(1, view="top", label=label(region(60, 40))), seen(2, view="side", label=label()))
    kin = (Kin("machine mill 4", 9, 10, 2, 90), Kin("camera cam 3", 5, 50, 6, 50))
    said = describe(Facts(part, HELD, "55120", "01 Mar 2026, 09:00 CET", ("line B", "camera cam 3"), "crack", kin))
    assert said == (
        "Part P-1 of order 55120 was pictured 2 times, first at 01 Mar 2026, 09:00 CET (line B, camera cam 3).",
        "Ines found on view top: crack at the top left, 20 by 20 px.",
        "Ines found no defect on view side.",
        "The decision in force is HOLD under policy 4, score 0.61. The score lies in the band.",
        "Of 10 labelled parts with machine mill 4, 9 are labelled crack (90%); of 90 others 2 (2%): more than chance "
        "explains, which is a hint and no proof.",
    )


def test_without_a_difference_no_cause_is_named() -> None:
    part = evidence(seen(label=label(region(60, 40))))
    said = describe(Facts(part, None, damage="crack", kin=(Kin("machine mill 4", 1, 10, 9, 90),)))
    assert "does not show a cause" in said[-1]
    assert not any("hint" in one for one in said)
    assert "Too little is labelled" in describe(Facts(part, None, damage="crack"))[-1]


def test_what_nobody_labelled_is_said_to_be_the_models() -> None:
    said = describe(Facts(evidence(seen(prediction=prediction(0.61)))))
    assert said[1] == "Nobody has labelled it."
    assert said[2].startswith("Model net-1 scored the picture 0.61, likeliest crack (0.90 if defective)")
    assert describe(Facts(evidence()))[0] == "There is no picture of part P-1."


def test_nothing_that_a_description_says_of_damage_is_denied_by_the_evidence() -> None:
    part = evidence(seen(label=label(region(60, 40), region(350, 180, "SCRATCH"))))
    for sentence in describe(Facts(part, HELD, damage="crack")):
        for one in check_text(sentence, part):
            assert all(finding.ruling is not Ruling.CONTRADICTED for finding in one.findings), sentence
