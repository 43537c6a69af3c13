import io
import stat
import zipfile

import pytest

from app.web.unpack import unpack
from core.errors import BadInput


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    buffer.seek(0)
    return buffer


def test_a_folder_comes_out_as_it_went_in(tmp_path):
    assert unpack(zipped(**{"a/b.txt": b"one", "c.txt": b"two"}), tmp_path / "out") == 2
    assert (tmp_path / "out" / "a" / "b.txt").read_bytes() == b"one"


@pytest.mark.parametrize("name", ["../up.txt", "/etc/x", "a/../../x", "C:/x", "a\\..\\..\\x"])
def test_a_name_that_leads_out_is_refused_with_everything(tmp_path, name):
    with pytest.raises(BadInput):
        unpack(zipped(**{"ok.txt": b"x", name: b"x"}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_link_is_refused(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(BadInput, match="link"):
        unpack(buffer, tmp_path / "out")


def test_an_archive_in_the_archive_is_refused(tmp_path):
    with pytest.raises(BadInput, match="another archive"):
        unpack(zipped(**{"inner.zip": b"PK"}), tmp_path / "out")


def test_a_bomb_is_stopped_while_it_unpacks(tmp_path):
    with pytest.raises(BadInput, match="far more"):
        unpack(zipped(bomb=bytes(64 << 20)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_total_size_and_number_are_limited(tmp_path):
    with pytest.raises(BadInput, match="larger"):
        unpack(zipped(a=b"x" * 600, b=b"y" * 600), tmp_path / "one", most_bytes=1000)
    with pytest.raises(BadInput, match="3 files"):
        unpack(zipped(a=b"", b=b"", c=b""), tmp_path / "two", most_files=2)


def test_two_files_that_differ_in_case_only_are_refused(tmp_path):
    with pytest.raises(BadInput, match="same name"):
        unpack(zipped(**{"A.txt": b"1", "a.txt": b"2"}), tmp_path / "out")


def test_what_is_no_zip_is_said_so(tmp_path):
    with pytest.raises(BadInput, match="no zip"):
        unpack(io.BytesIO(b"hello"), tmp_path / "out")
