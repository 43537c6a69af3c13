"""Shared memory between a decoder's child and its parent, without a descriptor kept for each piece.

Python's own `mmap` keeps a copy of the descriptor until 3.13, so a thousand pictures in hand would be a thousand open
files; hence the two C functions are called directly. They also let other threads run meanwhile.
"""

import ctypes
import mmap
import os
from typing import Any

import numpy as np

from core.records import Pixels

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.mmap.restype = ctypes.c_void_p
_LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
_LIBC.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_FAILED = ctypes.c_void_p(-1).value


class Memory:
    """A mapped piece of shared memory; unmapped when nobody refers to it any more."""

    def __init__(self, fd: int, length: int) -> None:
        protection, flags = mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED | mmap.MAP_POPULATE
        address = _LIBC.mmap(None, length, protection, flags, fd, 0)
        if address == _FAILED:
            raise MemoryError(f"{length} bytes of shared memory: {os.strerror(ctypes.get_errno())}")
        self.address: int = address
        self.length = length

    def __del__(self) -> None:
        if hasattr(self, "address"):
            _LIBC.munmap(self.address, self.length)


class Lent:
    """A piece of memory while an array lies in it; NumPy keeps this as the base of the array and of all its views."""

    def __init__(self, memory: Memory, shape: tuple[int, ...]) -> None:
        if int(np.prod(shape)) > memory.length:
            raise ValueError(f"{shape} does not fit into {memory.length} bytes")
        self.memory = memory
        self.__array_interface__: dict[str, Any] = {
            "data": (memory.address, False),
            "shape": shape,
            "typestr": "|u1",
            "version": 3,
        }

    def array(self) -> Pixels:
        return np.asarray(self)
