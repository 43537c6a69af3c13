"""A disk that loses whatever was not synced when the power goes: a SQLite VFS, written through ctypes.

SQLite itself opens, locks and maps files as ever; only writing, cutting and syncing pass through here and are written
down. `Disk.after` replays them as a machine would find them that lost its power at a chosen moment: everything up to
the last sync of each file, and of what came after it, any part, whole or torn.
"""

import ctypes
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pysqlite3._sqlite3 as bundled

_READ, _WRITE, _TRUNCATE, _SYNC = 1, 2, 3, 4  # places in sqlite3_io_methods, after iVersion and xClose


@dataclass(frozen=True)
class Event:
    """What reached the operating system: `write`, `cut`, `sync`, `gone` of a file; or `told`, an acknowledgement."""

    what: str
    path: str = ""
    offset: int = 0
    data: bytes = b""


@dataclass
class Disk:
    """Everything that happened to the files, in order."""

    events: list[Event] = field(default_factory=list)

    def after(self, moment: int, folder: Path, chance: random.Random | None) -> Path:
        """Write the files as they would be found after a power cut.

        Args:
            moment: so many events had happened.
            folder: where to put them.
            chance: which unsynced writes had reached the disk by themselves, and which were torn; None for none.
        """
        files: dict[str, bytearray] = {}
        pending: dict[str, list[Event]] = {}
        for event in self.events[:moment]:
            if event.what == "sync":
                for one in pending.pop(event.path, []):
                    _apply(files.setdefault(event.path, bytearray()), one)
            elif event.what == "gone":
                pending.pop(event.path, None)
                files.pop(event.path, None)
            elif event.what != "told":
                pending.setdefault(event.path, []).append(event)
        for path, some in pending.items():
            for one in some:
                drawn = 0.0 if chance is None else chance.random()
                if drawn > 0.5:
                    torn = one if drawn > 0.6 else Event(one.what, one.path, one.offset, one.data[: len(one.data) // 2])
                    _apply(files.setdefault(path, bytearray()), torn)
        folder.mkdir(parents=True)
        for path, data in files.items():
            (folder / Path(path).name).write_bytes(data)
        return folder


def _apply(file: bytearray, event: Event) -> None:
    if event.what == "cut":
        del file[event.offset :]
        return
    end = event.offset + len(event.data)
    file.extend(b"\0" * (end - len(file)))
    file[event.offset : end] = event.data


class _Methods(ctypes.Structure):
    _fields_ = [("version", ctypes.c_int), ("calls", ctypes.c_void_p * 18)]


class _File(ctypes.Structure):
    _fields_ = [("methods", ctypes.POINTER(_Methods))]


class _Vfs(ctypes.Structure):
    _fields_ = [
        ("version", ctypes.c_int),
        ("file_size", ctypes.c_int),
        ("longest_path", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        ("calls", ctypes.c_void_p * 18),
    ]


_Open = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_int)
)
_Write = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_longlong)
_Truncate = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_longlong)
_Delete = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int)
_Sync = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)


def watch(disk: Disk, syncs: Callable[[str], bool] = lambda path: True) -> object:
    """Make a VFS that writes down what happens the default of this process; keep what is returned alive.

    Args:
        disk: where it is written down.
        syncs: False for a path whose syncs are to be lost, as on a disk that lies.
    """
    library = ctypes.CDLL(bundled.__file__)
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    library.sqlite3_vfs_find.argtypes = [ctypes.c_char_p]
    library.sqlite3_vfs_register.argtypes = [ctypes.c_void_p, ctypes.c_int]
    original = library.sqlite3_vfs_find(None).contents
    paths: dict[int, str] = {}
    kept: list[object] = []
    wrapped: dict[int, ctypes.Array[ctypes.c_char] | _Methods] = {}
    open_original, delete_original = ctypes.cast(original.calls[0], _Open), ctypes.cast(original.calls[1], _Delete)

    def methods_for(address: int) -> _Methods:
        """A copy of a file's methods in which three are ours."""
        if address in wrapped:
            return wrapped[address]  # type: ignore[return-value]
        theirs = ctypes.cast(address, ctypes.POINTER(_Methods)).contents
        mine = _Methods(theirs.version, theirs.calls)
        write, cut, sync = (
            ctypes.cast(theirs.calls[place], kind)
            for place, kind in ((_WRITE, _Write), (_TRUNCATE, _Truncate), (_SYNC, _Sync))
        )

        def on_write(file: int, data: int, amount: int, offset: int) -> int:
            disk.events.append(Event("write", paths.get(file, ""), offset, ctypes.string_at(data, amount)))
            return int(write(file, data, amount, offset))

        def on_cut(file: int, size: int) -> int:
            disk.events.append(Event("cut", paths.get(file, ""), size))
            return int(cut(file, size))

        def on_sync(file: int, flags: int) -> int:
            found = int(sync(file, flags))
            if found == 0 and syncs(paths.get(file, "")):
                disk.events.append(Event("sync", paths.get(file, "")))
            return found

        for place, call in ((_WRITE, _Write(on_write)), (_TRUNCATE, _Truncate(on_cut)), (_SYNC, _Sync(on_sync))):
            mine.calls[place] = ctypes.cast(call, ctypes.c_void_p).value
            kept.append(call)
        wrapped[address] = mine
        kept.append(mine)
        return mine

    def on_open(_vfs: int, name: int, file: int, flags: int, out: object) -> int:
        found = int(open_original(ctypes.addressof(original), name, file, flags, out))  # type: ignore[arg-type]
        methods = ctypes.cast(file, ctypes.POINTER(_File)).contents.methods
        if found == 0 and methods and name:
            paths[file] = ctypes.string_at(name).decode()
            mine = methods_for(ctypes.addressof(methods.contents))
            ctypes.cast(file, ctypes.POINTER(_File)).contents.methods = ctypes.pointer(mine)
        return found

    def on_delete(_vfs: int, name: bytes, sync_folder: int) -> int:
        found = int(delete_original(ctypes.addressof(original), name, sync_folder))
        if found == 0:
            disk.events.append(Event("gone", name.decode()))
        return found

    mine = _Vfs.from_buffer_copy(original)
    mine.name, mine.next = b"power", None
    for place, hook in enumerate((_Open(on_open), _Delete(on_delete))):
        mine.calls[place] = ctypes.cast(hook, ctypes.c_void_p).value
        kept.append(hook)
    kept += [mine, library]
    if library.sqlite3_vfs_register(ctypes.byref(mine), 1) != 0:
        raise RuntimeError("SQLite refused the VFS")
    return kept
