"""Promises about the tree itself."""

import ast
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOP = {"app", "pages", "core", "models", "data", "tests"}
SHIPPED = [
    file
    for folder in sorted(TOP - {"tests"})
    for file in sorted((ROOT / folder).rglob("*.py"))
    if "__pycache__" not in file.parts
]


def tracked() -> list[Path]:
    """Files git knows, where this is a checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_python_lives_only_in_the_given_top_level_folders():
    assert {file.relative_to(ROOT).parts[0] for file in tracked() if file.suffix == ".py"} <= TOP


def test_no_test_folder_is_a_package():
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_exactly_one_build_of_cv2_is_locked_and_installed():
    lock = (ROOT / "requirements.lock").read_text()
    locked = set(re.findall(r"^(opencv-[a-z-]+)==", lock, re.MULTILINE))
    installed = {
        name
        for distribution in importlib.metadata.distributions()
        if (name := distribution.metadata["Name"].lower()).startswith("opencv-")
    }
    assert locked == installed == {"opencv-python-headless"}


def test_the_lock_pins_every_requirement_with_a_hash():
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^([a-z0-9._-]+)==\S+ \\\n    --hash=sha256:", lock, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[a-z0-9._-]+==", lock, re.MULTILINE)) > 100
    assert "://" not in lock


@pytest.mark.parametrize("module", ["core", "models"])
def test_core_and_models_import_without_the_screen_and_the_store(module: str):
    """The machine with the GPU has neither streamlit nor sqlmodel."""
    names = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for file in sorted((ROOT / module).rglob("*.py"))
        if file.name not in ("__init__.py", "__main__.py", "openvino.py")  # the one back end that needs it
    ]
    absent = ("streamlit", "sqlmodel", "sqlalchemy", "duckdb", "pysqlite3", "openvino", "pydantic_settings")
    program = (
        "import importlib, sys\n"
        f"sys.modules.update(dict.fromkeys({absent!r}))\n"
        f"for name in {names!r}:\n"
        "    importlib.import_module(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_no_class_is_defined_in_a_page():
    for file in (ROOT / "pages").rglob("*.py"):
        classes = [node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ClassDef)]
        assert not classes, f"{file}: {classes}"


def test_no_shipped_code_catches_everything_or_loads_a_pickle():
    for file in SHIPPED:
        text = file.read_text()
        assert "except Exception" not in text, file
        assert not re.search(r"\bpickle\.loads?\(", text), file
        assert "unsafe_allow_html" not in text, file


def test_every_page_has_a_test():
    tests = "\n".join(file.read_text() for file in (ROOT / "tests" / "pages").rglob("test_*.py"))
    for page in (ROOT / "pages").rglob("*.py"):
        if page.name != "__init__.py":
            assert page.stem in tests, f"{page.relative_to(ROOT)} has no test"


def test_every_setting_and_command_is_in_the_readme():
    from app.settings import Settings

    readme = (ROOT / "README.md").read_text()
    for name in Settings.model_fields:
        assert f"HOLDPOINT_{name.upper()}" in readme, name


def test_files_stay_small_enough_to_be_one_idea():
    long = {str(file.relative_to(ROOT)): n for file in SHIPPED if (n := len(file.read_text().splitlines())) > 600}
    assert not long
