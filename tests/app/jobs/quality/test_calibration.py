"""Guarantees from a file: what is answered, and how a file that cannot be used is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from app.cli import main
from app.jobs.quality.calibration import from_file
from core.errors import BadInput

HEADER = "site,score,defective,weight\n"


def written(folder: Path, text: str, name: str = "labelled.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def rows(site: str, bad: int, good: int = 200, low: float = 0.5) -> str:
    defective = "".join(f"{site},{low + (1 - low) * n / max(1, bad):.6f},1,1\n" for n in range(bad))
    return defective + "".join(f"{site},{0.4 * n / max(1, good):.6f},0,1\n" for n in range(good))


def test_every_site_of_a_file_gets_its_own_answer(tmp_path, capsys):
    path = written(
        tmp_path, HEADER + rows("lyon", 400) + rows("turin", 40) + "oslo,0.2,0,1\n" + "riga,0,1,1\nriga,0.1,0,1\n" * 300
    )
    assert (
        main(["thresholds", "propose", "--calibration", str(path), "--miss", "0.01", "--confidence", ".95", "--json"])
        == 0
    )
    answers = {one["site"]: one for one in json.loads(capsys.readouterr().out)}
    assert [(site, one["status"]) for site, one in answers.items()] == [
        ("lyon", "met"), ("oslo", "insufficient"), ("riga", "impossible"), ("turin", "insufficient"),
    ]  # fmt: skip
    assert (answers["lyon"]["more_needed"], answers["turin"]["more_needed"]) == (0, 259)
    assert answers["riga"]["more_needed"] is None
    assert 0.4 < answers["lyon"]["pass_below"] <= 1
    assert answers["lyon"]["miss_bound"] <= 0.01
    assert all(one["fail_above"] is None for one in answers.values())
    assert answers["turin"]["pass_below"] == 0


def test_without_json_it_is_said_in_sentences(tmp_path, capsys):
    path = written(tmp_path, HEADER + rows("lyon", 400))
    assert main(["thresholds", "propose", "--calibration", str(path), "--miss", "0.01"]) == 0
    assert capsys.readouterr().out.startswith("lyon: met. Passing below")


def test_columns_may_come_in_any_order_with_others_between_and_a_byte_order_mark(tmp_path):
    text = "﻿weight,note,site, score ,defective\n" + "2,x,lyon,0.9,TRUE\n" * 300 + '2,"a, b",lyon,0.1,no\n'
    (answer,) = from_file(written(tmp_path, text), 0.01, 0.95)
    assert (answer["status"], answer["defective"], answer["good"]) == ("met", 300, 1)


def test_a_safety_class_is_guaranteed_beside_the_site(tmp_path):
    body = "".join(f"lyon,{0.5 + n / 2000:.4f},1,1,{'CRACK' if n % 2 else ''}\n" for n in range(900))
    body += "lyon,0.1,0,1,\n" * 100
    (answer,) = from_file(written(tmp_path, "site,score,defective,weight,safety_class\n" + body), 0.01, 0.95)
    assert answer["status"] == "met"
    assert answer["families"]["CRACK"]["defective"] == 450


def test_very_many_rows_are_answered(tmp_path):
    rng = np.random.default_rng(0)
    d = rng.random(200_000) < 0.1
    s = np.round(np.clip(rng.normal(np.where(d, 0.7, 0.2), 0.12), 0, 1), 5)
    w = np.where(s < 0.3, 5.0, 1.0)
    lines = [f"lyon,{a},{b:d},{c}" for a, b, c in zip(s.tolist(), d.tolist(), w.tolist(), strict=True)]
    (answer,) = from_file(written(tmp_path, HEADER + "\n".join(lines)), 0.01, 0.95)
    assert answer["status"] == "met"
    weights = w[d]
    missed = weights[s[d] < answer["pass_below"]].sum() / weights.sum()
    assert 0.0075 < missed < 0.01


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["no column site", "names nothing"]),
        (HEADER, ["no row"]),
        ("site,score,defective\nlyon,.5,1\n", ["no column weight"]),
        ("site,score,score,defective,weight\nlyon,.5,.5,1,1\n", ["score twice"]),
        (HEADER + "lyon,.5,1,1\nlyon,,1,1\n", ["line 3", "score is nothing"]),
        (HEADER + "lyon,nan,1,1\n", ["line 2", "'nan'", "0 to 1"]),
        (HEADER + "lyon,1.5,1,1\nlyon,-2,1,1\n", ["line 2", "'1.5'", "1 more row"]),
        (HEADER + "lyon,high,1,1\n", ["'high'", "0 to 1"]),
        (HEADER + "lyon,.5,1,0\n", ["weight is '0'", "above 0"]),
        (HEADER + "lyon,.5,1,-3\n", ["weight is '-3'"]),
        (HEADER + "lyon,.5,1,inf\n", ["weight is 'inf'"]),
        (HEADER + "lyon,.5,maybe,1\n", ["defective is 'maybe'", "1 or 0"]),
        (HEADER + ",.5,1,1\n", ["site is nothing", "a name"]),
        (HEADER + "lyon,.5\n", ["no CSV that can be read"]),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(tmp_path, capsys, text, words):
    path = written(tmp_path, text)
    assert main(["thresholds", "propose", "--calibration", str(path), "--miss", "0.01"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    for word in words:
        assert word in err


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--calibration", "nowhere.csv", "--miss", "0.01"], "nowhere.csv"),
        (["--calibration", "nowhere.csv"], "--miss"),
        (["--miss", "0.01"], "--calibration"),
    ],
)
def test_what_is_missing_is_named(tmp_path, monkeypatch, capsys, arguments, word):
    monkeypatch.chdir(tmp_path)
    assert main(["thresholds", "propose", *arguments]) == 1
    assert word in capsys.readouterr().err


@pytest.mark.parametrize(("miss", "confidence", "word"), [("1", ".95", "miss rate"), ("0.01", "95", "confidence")])
def test_figures_that_cannot_be_meant_are_refused(tmp_path, capsys, miss, confidence, word):
    path = written(tmp_path, HEADER + rows("lyon", 5))
    arguments = ["thresholds", "propose", "--calibration", str(path), "--miss", miss, "--confidence", confidence]
    assert main(arguments) == 1
    assert word in capsys.readouterr().err


def test_binary_rubbish_is_no_csv(tmp_path):
    path = tmp_path / "rubbish.csv"
    path.write_bytes(bytes(range(256)) * 40)
    with pytest.raises(BadInput):
        from_file(path, 0.01, 0.95)
