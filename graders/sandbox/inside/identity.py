"""Giving up who one was: the user, and every capability."""

import ctypes
import os
import struct

_VERSION_3 = 0x20080522
_CAPSET = {"x86_64": 126, "aarch64": 91}


def become(user: int | None) -> None:
    """This user, if one is given, and without capabilities in any case. Raises OSError."""
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    libc = ctypes.CDLL(None, use_errno=True)
    header, nothing = struct.pack("Ii", _VERSION_3, 0), struct.pack("6I", *[0] * 6)
    if libc.syscall(_CAPSET[os.uname().machine], header, nothing):
        raise OSError(ctypes.get_errno(), "capset")
