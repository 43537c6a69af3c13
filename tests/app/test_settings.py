from pathlib import Path

import pytest

from app.settings import CHECKOUT, settings
from core.errors import BadInput


def test_home_is_var_in_the_checkout_wherever_the_command_is_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("HOLDPOINT_HOME", raising=False)
    monkeypatch.delenv("HOLDPOINT_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    found = settings()
    assert found.home == CHECKOUT / "var"
    assert found.database_url == f"sqlite:///{CHECKOUT / 'var' / 'holdpoint.sqlite3'}"


def test_settings_are_read_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("HOLDPOINT_HOME", str(tmp_path / "a"))
    assert settings().home == tmp_path / "a"
    monkeypatch.setenv("HOLDPOINT_HOME", str(tmp_path / "b"))
    assert settings().models == tmp_path / "b" / "models"


def test_a_relative_home_is_below_where_the_command_is_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOLDPOINT_HOME", "plant")
    assert settings().home == tmp_path / "plant"


def test_settings_cannot_be_changed_by_accident():
    with pytest.raises(ValueError, match="frozen"):
        settings().device = "cuda"  # type: ignore[misc]


@pytest.mark.parametrize(("name", "value"), [("DEVICE", "tpu"), ("OFFLINE", "maybe"), ("DECODERS", "0")])
def test_a_variable_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str):
    monkeypatch.setenv(f"HOLDPOINT_{name}", value)
    with pytest.raises(BadInput, match=f"HOLDPOINT_{name}"):
        settings()
