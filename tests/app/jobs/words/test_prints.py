import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from app.cli import main
from app.jobs.intake.ingest import ingest
from app.jobs.words.prints import check_file, finding_document, read_catalogue
from app.settings import Settings
from core.errors import BadInput
from core.plant import PartType
from core.records import Outcome
from core.words.date_forms import Order
from core.words.expiry import Printing
from core.words.identity import CatalogueItem, Entry
from core.words.print_check import EXPIRED, UNREAD, WRONG, PrintRules
from data.store import Store

RULES = PrintRules(Printing(Order.DAY), short_days=30)
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def label(file: Path, *lines: str) -> Path:
    """A white label on a grey carton, with some noise."""
    rng = np.random.default_rng(5)
    carton = Image.fromarray(rng.normal(140, 6, (320, 520, 3)).clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(carton)
    pen.rectangle((50, 50, 470, 270), fill=(244, 244, 240))
    for row, line in enumerate(lines):
        pen.text((70, 70 + 60 * row), line, fill=(20, 20, 24), font=ImageFont.load_default(30))
    carton.save(file)
    return file


@pytest.fixture
def reads(line_ready: Store) -> Store:
    line_ready.part_types.put("lyon", PartType("carton", tile=64, stride=32))
    line_ready.prints.set_rules("lyon", "carton", RULES, "old tea was found")
    line_ready.prints.set_catalogue("lyon", [CatalogueItem(Entry("K-204", "NORDIC TEA"), "carton"),
                                             CatalogueItem(Entry("K-317", "ALMA CEREAL"))])  # fmt: skip
    return line_ready


def held_for(store: Store, file: Path) -> list[str]:
    (image,) = store.images.find(source=str(file.resolve()))
    decision = store.parts.decision(image.part_id)
    assert decision is not None
    return [] if decision.outcome is not Outcome.HOLD else [one.code for one in decision.reasons]


def test_labels_are_read_as_parts_come_in_and_join_the_decision(reads: Store, current: Settings, tmp_path: Path):
    folder = tmp_path / "in"
    folder.mkdir()
    good = label(folder / "good.png", "NORDIC TEA", "EXP 12/06/2027")
    old = label(folder / "old.png", "NORDIC TEA", "EXP 12/02/2026")
    other = label(folder / "other.png", "ALMA CEREAL", "EXP 12/06/2027")
    report = ingest(reads, current, [str(folder)], "lyon", part_type="carton", now=lambda: NOW)
    assert report.images == 3
    faults = {EXPIRED, UNREAD, WRONG}
    assert not faults & set(held_for(reads, good))
    assert faults & set(held_for(reads, old)) == {EXPIRED}
    assert faults & set(held_for(reads, other)) == {WRONG}
    (image,) = reads.images.find(source=str(old.resolve()))
    (read,) = reads.prints.of_part(image.part_id)
    assert [one.text for one in read.reading.prints] == ["NORDIC TEA", "EXP 12/02/2026"]
    assert read.reading.milliseconds > 0


def test_a_reader_that_fails_holds_the_part(reads: Store, current: Settings, tmp_path: Path):
    file = label(tmp_path / "good.png", "NORDIC TEA", "EXP 12/06/2027")
    hurried = current.model_copy(update={"ocr_seconds": 0.0001})
    ingest(reads, hurried, [str(file)], "lyon", part_type="carton", now=lambda: NOW)
    assert UNREAD in held_for(reads, file)


def test_a_file_is_checked_without_storing_it(current: Settings, tmp_path: Path):
    file = label(tmp_path / "twin.png", "COTTON SHEET TWIN", "EXP 12/06/2027")
    shop = [Entry("B-1", "COTTON SHEET KING", {"size": "king"}), Entry("B-2", "COTTON SHEET TWIN", {"size": "twin"})]
    finding, reading = check_file(current, file, RULES, date(2026, 3, 1), shop, "B-1")
    assert [one.code for one in finding.reasons] == [WRONG]
    document = json.loads(json.dumps(finding_document(finding)))
    assert document["items"][0]["sku"] == "B-2"
    assert document["dates"][0]["day"] == "2027-06-12"
    assert {"how": "different", "read": "TWIN", "expected": "KING"} in document["diff"]
    assert reading.reader == "rapidocr"


def test_a_catalogue_is_read_from_csv_and_its_faults_are_named():
    items = read_catalogue("sku,Title,part_type,size\nB-1,COTTON SHEET KING,sheet,king\nB-2,SHEET,,\n")
    assert items[0] == CatalogueItem(Entry("B-1", "COTTON SHEET KING", {"size": "king"}), "sheet")
    assert items[1] == CatalogueItem(Entry("B-2", "SHEET"))
    with pytest.raises(BadInput, match="sku and title"):
        read_catalogue("number,name\n1,x\n")
    with pytest.raises(BadInput, match="Line 2"):
        read_catalogue("sku,title\n1,x,y\n")


def test_the_commands_set_check_and_tell(reads: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = label(tmp_path / "old.png", "NORDIC TEA", "EXP 12/02/2026")
    shop = tmp_path / "shop.csv"
    shop.write_text("sku,title,part_type\nK-204,NORDIC TEA,carton\n")
    assert main(["prints", "catalogue", str(shop), "--site", "lyon", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["items"] == 1
    assert main(["prints", "set", "--site", "lyon", "--part-type", "carton", "--order", "day", "--reason", "x",
                 "--short-days", "10"]) == 0  # fmt: skip
    assert "10 days more" in capsys.readouterr().out
    assert main(["prints", "check", str(file), "--site", "lyon", "--part-type", "carton", "--today", "2026-03-01",
                 "--json"]) == 0  # fmt: skip
    (document,) = json.loads(capsys.readouterr().out)
    assert [one["code"] for one in document["reasons"]] == [EXPIRED]
    assert main(["prints", "check", str(tmp_path / "no.png")]) == 1
    assert main(["prints", "rules", "--site", "lyon"]) == 0
    assert "carton" in capsys.readouterr().out
