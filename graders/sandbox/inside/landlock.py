"""Landlock: a process gives up every file but those below some folders, the network, and signals to others.

Source: Linux, Documentation/userspace-api/landlock.rst. The system calls have the same numbers everywhere.
"""

import ctypes
import os
import struct
from collections.abc import Iterable

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_READ = 1 << 0 | 1 << 2 | 1 << 3  # execute, read file, read directory
_READ_FILE = 1 << 0 | 1 << 2
_WRITE = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8  # write, remove directory and file, make directory and file
# By version: refer, truncate, ioctl on devices. The first thirteen rights are those of version 1.
_FILES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_TRUNCATE = 1 << 14
_TCP = 1 << 0 | 1 << 1  # bind, connect: from version 4
_SCOPES = 1 << 0 | 1 << 1  # abstract sockets, signals: from version 6

_LIBC = ctypes.CDLL(None, use_errno=True)


def version() -> int:
    """Of the kernel's Landlock; 0 without one."""
    found = _LIBC.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG))
    return max(0, int(found))


def confine(readable: Iterable[str], writable: Iterable[str]) -> None:
    """From here on this process and its children see no other files. Raises OSError."""
    abi = version()
    if abi < 1:
        raise OSError(ctypes.get_errno(), "Landlock")
    handled = _FILES[min(abi, 5)]
    attributes = struct.pack("QQQ", handled, _TCP if abi >= 4 else 0, _SCOPES if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    rules = _call(_CREATE, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    for path in readable:
        _allow(rules, path, _READ)
    for path in writable:
        _allow(rules, path, (_READ | _WRITE | _TRUNCATE) & handled)
    if _LIBC.prctl(38, 1, 0, 0, 0):  # no_new_privs
        raise OSError(ctypes.get_errno(), "no_new_privs")
    _call(_RESTRICT, ctypes.c_int(rules), ctypes.c_uint32(0))
    os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    if not os.path.isdir(path):
        rights &= _READ_FILE | 1 << 1 | _TRUNCATE
    rule = struct.pack("=Qi", rights, folder)
    _call(_ADD, ctypes.c_int(rules), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0))
    os.close(folder)


def _call(number: int, *arguments: object) -> int:
    result = int(_LIBC.syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), "Landlock")
    return result
