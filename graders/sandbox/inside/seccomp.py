"""A seccomp filter that lets one process compute and nothing else: the calls in `syscalls.py`, and some by argument.

Source: Linux, Documentation/userspace-api/seccomp_filter.rst; classic BPF from uapi/linux/filter.h.
"""

import ctypes
import errno
import os
import struct

from .syscalls import COMPUTING

# arch -> AUDIT_ARCH_*, and which of the two columns of numbers.
_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_LOAD, _JUMP_EQUAL, _JUMP_ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NR, _ARCH, _FIRST_ARG = 0, 4, 16  # offsets in struct seccomp_data
_CLONE_THREAD = 0x00010000
_TRUNCATE, _ACCESS_MODE, _READ_ONLY = 0x200, 0x3, 0x0
# What Python and libc ask of a terminal or a descriptor: TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX.
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
_PRCTLS = (15, 16, 0x53564D41)  # PR_SET_NAME, PR_GET_NAME, PR_SET_VMA

Program = list[tuple[int, int, int, int]]
"""Instructions: code, steps to skip when true, when false, and a constant."""


def confine() -> None:
    """From here on this process and its threads compute. Raises OSError where the kernel has no seccomp."""
    libc = ctypes.CDLL(None, use_errno=True)
    packed = b"".join(struct.pack("HBBI", *step) for step in _program(os.uname().machine, os.getpid()))
    buffer = ctypes.create_string_buffer(packed)
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(packed) // 8, ctypes.addressof(buffer)))
    for arguments in ((38, 1, 0, 0, 0), (22, 2, ctypes.addressof(program), 0, 0)):  # no_new_privs, seccomp filter
        if libc.prctl(*(ctypes.c_ulong(value) for value in arguments)):
            raise OSError(ctypes.get_errno(), "seccomp")


def _program(machine: str, pid: int) -> Program:
    if machine not in _MACHINES:
        raise OSError(errno.ENOSYS, f"no list of system calls for {machine}")
    arch, column = _MACHINES[machine]
    refuse = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
    steps: Program = [
        (_LOAD, 0, 0, _ARCH),
        (_JUMP_EQUAL, 1, 0, arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NR),
    ]
    # Signals to itself alone, limits of itself alone, new threads and no new processes.
    for numbers, values in (
        ((62, 129), (pid,)),  # kill
        ((234, 131), (pid,)),  # tgkill
        ((302, 261), (0, pid)),  # prlimit64
        ((157, 167), _PRCTLS),  # prctl
    ):
        steps += _by_argument(numbers[column], 0, values)
    steps += _by_argument((16, 29)[column], 1, _IOCTLS)
    steps += _opening((257, 56)[column], flags=2)
    if machine == "x86_64":
        steps += _opening(2, flags=1)
    steps += [
        (_JUMP_EQUAL, 0, 4, (56, 220)[column]),  # clone
        (_LOAD, 0, 0, _FIRST_ARG),
        (_JUMP_ANY_BIT, 0, 1, _CLONE_THREAD),
        (_RETURN, 0, 0, _ALLOW),
        refuse,
        (_JUMP_EQUAL, 0, 1, 435),  # clone3, whose flags a filter cannot see: libc then takes clone
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
    ]
    allowed = [number for pair in COMPUTING.values() if (number := pair[column]) is not None]
    steps += [(_JUMP_EQUAL, len(allowed) - place, 0, number) for place, number in enumerate(allowed)]
    return [*steps, refuse, (_RETURN, 0, 0, _ALLOW)]


def _by_argument(number: int, argument: int, values: tuple[int, ...]) -> Program:
    """Allowed when the low half of this argument is one of the values."""
    count = len(values)
    return [
        (_JUMP_EQUAL, 0, count + 3, number),
        (_LOAD, 0, 0, _FIRST_ARG + 8 * argument),
        *((_JUMP_EQUAL, count - place, 0, value) for place, value in enumerate(values)),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _opening(number: int, flags: int) -> Program:
    """Allowed, unless it would empty a file that it only reads: Landlock hinders that from its third version on."""
    return [
        (_JUMP_EQUAL, 0, 6, number),
        (_LOAD, 0, 0, _FIRST_ARG + 8 * flags),
        (_JUMP_ANY_BIT, 0, 3, _TRUNCATE),
        (_AND, 0, 0, _ACCESS_MODE),
        (_JUMP_EQUAL, 0, 1, _READ_ONLY),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
