"""`holdpoint kpi`: any chart's numbers as a document, as a table, as a file."""

import json
from pathlib import Path

import pytest

from app.cli import main
from app.jobs.sealing import open_plant
from app.settings import Settings
from tests.kpi_plant import fill


@pytest.fixture
def home(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "home"
    place.mkdir()
    (place / "holdpoint.sqlite3").write_bytes(sqlite_template.read_bytes())
    monkeypatch.setenv("HOLDPOINT_HOME", str(place))
    monkeypatch.delenv("HOLDPOINT_DATABASE_URL", raising=False)
    store = open_plant(Settings())
    fill(store)
    store.close()
    return place


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["kpi", *arguments]) == 0
    return capsys.readouterr().out


def test_kpi_prints_any_chart_as_one_document(home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    names = [one["kpi"] for one in json.loads(said(capsys, "--json"))]
    assert "overrides" in names
    time = ("--since", "2026-01-05", "--until", "2026-04-20")
    for name in names:
        document = json.loads(said(capsys, name, *time, "--json"))
        assert document["kpi"] == name
        assert document["rows"], name
        assert "SELECT" in document["sql"]
    document = json.loads(said(capsys, "overrides", *time, "--json"))
    assert {"week", "model_said", "inspector_said", "count", "share"} <= document["rows"][0].keys()
    assert document["patterns"][0]["trend"]["periods"] >= 4
    for week in {row["week"] for row in document["rows"]}:
        assert sum(row["share"] for row in document["rows"] if row["week"] == week) == pytest.approx(1)
    assert "hold_rate" in said(capsys, "held", *time, "--by", "line", "--site", "Lyon").splitlines()[0]
    said(capsys, "rates", *time, "--out", str(tmp_path / "rates.csv"))
    assert (tmp_path / "rates.csv").read_text().startswith("bucket,group,measure")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nothing",), "There is no chart 'nothing'"),
        (("overrides", "--since", "then"), "is no time"),
        (("overrides", "--site", "x' OR 1=1 --"), "There is no site"),
        (("throughput", "--by", "model; DROP TABLE x"), "Nothing is grouped by"),
        (("overrides", "--by", "line"), "is not counted by line"),
        (("rates", "--out", "rates.exe"), "neither .csv nor .parquet"),
    ],
)
def test_kpi_says_in_a_sentence_what_is_wrong(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    assert main(["kpi", *arguments]) != 0
    assert sentence in capsys.readouterr().err
