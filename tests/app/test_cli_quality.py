"""`holdpoint kpi`: any chart's numbers as a document, as a table, as a file."""

import json
from pathlib import Path

import pytest

from app.cli import main
from app.jobs.upkeep.sealing import open_plant
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


def test_customers_reports_are_entered_listed_and_taken_back(
    home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        status = main(["audits", *arguments])
        return status, capsys.readouterr().out

    status, out = run("report-escape", "--site", "Lyon", "--on", "2026-03-02", "--parts", "2", "--reference", "Z-1",
                      "--user", "Quentin", "--json")  # fmt: skip
    assert status == 0
    number = json.loads(out)["new"][0]
    file = tmp_path / "reports.csv"
    file.write_text("reported_on,parts,reference\n2026-03-03,4,Z-2\nnever,1,Z-3\n2026-03-03,1,Z-1\n")
    status, out = run("import-escapes", str(file), "--site", "Lyon", "--json")
    assert status == 1  # a row was not taken
    found = json.loads(out)
    assert (found["new"], found["parts"], found["known"]) == (1, 4, ["Z-1"])
    assert found["bad"] == [{"line": 3, "why": "reported_on is 'never': it has to be a day such as 2026-03-01."}]
    assert run("take-back-escape", str(number), "--reason", "another plant's")[0] == 0
    listed = json.loads(run("escapes", "--site", "Lyon", "--json")[1])
    gone = {one["reference"]: one["taken_back_by"] is not None for one in listed}
    assert (gone["Z-1"], gone["Z-2"]) == (True, False)
    assert run("report-escape", "--site", "Lyon", "--on", "soon")[0] == 1
