"""Large JSON documents in pieces: the same as read whole, and COCO's boxes in columns the same as one by one."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput
from data.formats import json_pieces
from data.formats.coco_document import Document
from data.formats.json_pieces import members

ODD = {"a": "}, {", "b": [{"c": 1}, {"d": [1.5, -2e3, None, True]}], 'e"f': '\\"}, {"'}
DOCUMENTS: list[dict[str, Any]] = [
    {},
    {"a": [], "b": {}, "c": 12345, "d": "Grüße, 字", "e": None},
    {"a": [{"n": n, "box": [n + 0.25, 1, 2, 3]} for n in range(200)], "z": [1, [2, {"x": 1}, {"y": 2}], "3"]},
    {"a": [ODD] * 40, "b": [{"m": {"size": [3, 4]}, "n": n} for n in range(50)]},
]


def gathered(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value, listed in members(path):
        if listed:
            found.setdefault(key, []).extend(value)
        else:
            found[key] = value
    return found


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("block", [1, 7, 700, 1 << 16])
@pytest.mark.parametrize("indent", [None, 1])
def test_a_document_in_pieces_says_what_it_says_whole(tmp_path, monkeypatch, document, block, indent):
    monkeypatch.setattr(json_pieces, "_BLOCK", block)
    monkeypatch.setattr(json_pieces, "_SMALLEST", min(block, 60))
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document, indent=indent, ensure_ascii=False), encoding="utf-8")
    assert gathered(path) == document


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"a": 1', '{"a": 1,}', '{"a": [1,]}', '{"a": [{}, {}', '{"a": [1 2]}', '{"a": 1} x',
     '{"a": 1 "b"}', '{1: 2}', '{"a": 1, "a": 2}', '{"a" 1}', '{"a": [{"b": 1}, {"c": 2}, ]}'],
)  # fmt: skip
@pytest.mark.parametrize("block", [2, 1 << 16])
def test_what_is_no_such_object_is_refused(tmp_path, monkeypatch, text, block):
    monkeypatch.setattr(json_pieces, "_BLOCK", block)
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"."):
        gathered(path)


def plain(number: int, image: Any, x: float = 1.5) -> dict[str, Any]:
    return {"id": number, "image_id": image, "category_id": 1, "bbox": [x, 2, 3, 4.25], "segmentation": []}


def document_of(path: Path, annotations: list[Any]) -> Document:
    images = [{"id": n, "file_name": f"{n}.png"} for n in (1, 2, "three")]
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "PIT"}]})
    )
    return Document(path)


def test_boxes_with_and_without_more_to_say_keep_their_order(tmp_path):
    outlined = plain(0, 1) | {"segmentation": [[0, 0, 5, 0, 5, 5]]}
    found = document_of(
        tmp_path / "a.json",
        [plain(1, 1, 1), plain(2, "three", 2), outlined, plain(3, 1, 3), plain(4, 2, 4), plain(5, 1, 5), outlined],
    )
    own = list(found.regions(1))
    assert [(region.x, region.mask is None) for region in own] == [
        (1.0, True), (1.5, False), (3.0, True), (5.0, True), (1.5, False),
    ]  # fmt: skip
    assert [(region.x, region.y, region.width, region.height, region.name) for region in found.regions("three")] == [
        (2.0, 2.0, 3.0, 4.25, "PIT")
    ]
    assert (found.keys, [found.count(key) for key in found.keys]) == ((1, "three", 2), [5, 1, 1])


def test_an_odd_annotation_among_many_is_told_of_in_its_own_words(tmp_path):
    found = document_of(
        tmp_path / "a.json", [plain(1, 1), plain(2, 1) | {"bbox": [1, 1, 0, 4]}, plain(3, 2) | {"category_id": 9}, 5]
    )
    with pytest.raises(BadInput, match="has no area"):
        list(found.regions(1))
    with pytest.raises(BadInput, match="category 9, which is not listed"):
        list(found.regions(2))
    assert found.keys == (1, 2, None)


def test_a_flag_is_no_number_and_a_number_is_no_name(tmp_path):
    found = document_of(tmp_path / "a.json", [plain(1, 1), plain(2, 1) | {"bbox": [True, 1, 2, 3]}])
    with pytest.raises(BadInput, match="True is not a finite number"):
        list(found.regions(1))
    found = document_of(tmp_path / "b.json", [plain(1, 3), plain(2, "3")])
    assert found.keys == (3, "3")


def test_a_file_in_another_encoding_is_read_whole(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes('{"images": [{"id": 1, "file_name": "Grüße.png"}], "annotations": []}'.encode("cp1252"))
    assert Document(path).images[0]["file_name"] == "Grüße.png"
    path.write_text('{"images": [}')
    with pytest.raises(BadInput, match="is not JSON"):
        Document(path)
