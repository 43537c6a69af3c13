"""A folder for each class: good words mean no defect, every other folder is a class."""

from pathlib import Path

from core.errors import BadInput, Unreadable
from core.taxonomy import is_good, says_only_defective
from data.formats.record import Problem, Reading, Record
from data.formats.sources import Folder

NAME = "folder"
TITLE = "a folder for each class"
_SPLITS = ("train", "training", "val", "valid", "validation", "test", "testing")
_PLAIN = (*_SPLITS, "images", "image", "imgs", "img", "data")


def found(source: Path) -> bool:
    """Whether pictures lie in two class folders or more, or one of them has a name that says good or bad."""
    if source.is_file():
        return False
    folder = Folder(source)
    names = set()
    for path in folder.pictures():
        name = _label_of(Path(folder.relative(path)))
        names.add(name)
        if (name and len(names - {""}) > 1) or is_good(name) or says_only_defective(name):
            return True
    return False


def read(source: Path) -> Reading:
    """Every picture below the source, labelled by its folder; those at the top have no label."""
    if source.is_file():
        raise BadInput(f"{source.name} is a file: give the folder that holds the class folders.")
    folder = Folder(source)
    pictures = list(folder.pictures())
    if not pictures:
        raise BadInput(f"No pictures below {source}: put each class into a folder of its name.")
    return Reading(NAME, len(pictures), (), lambda: (_entry(path, folder) for path in pictures))


def _label_of(file: Path) -> str:
    return next((part for part in reversed(file.parts[:-1]) if part.lower() not in _PLAIN), "")


def _entry(path: Path, folder: Folder) -> Record | Problem:
    file = folder.relative(path)
    label = _label_of(Path(file))
    split = next((part.lower() for part in Path(file).parts[:-1] if part.lower() in _SPLITS), None)
    short = {"training": "train", "valid": "val", "validation": "val", "testing": "test"}
    good = is_good(label)
    try:
        real = folder.checked(path)
    except Unreadable as problem:
        return Problem(file, file, problem.reason, str(problem))
    return Record(
        file, real, file, names=(label,) if label and not good else (), good=good, split=short.get(split or "", split)
    )
