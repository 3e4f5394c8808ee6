"""How code that we did not write is run: real CPython in a process that can do nothing but compute.

No network, no files but its own scratch, no environment, no other process; held to CPU time, wall time, memory, file
size and one process. It needs no privileges and no set-up: bubblewrap where that works, else Landlock, and seccomp in
both. Where a self-test finds a hole, nothing is run (`Unsafe`).

    inside/     the program in the jail: puts up its own walls, then forks a process a batch
    walls.py    what this host offers, and how a process is started behind it
    jail.py     the side that stays outside
    attacks.py  what the self-test tries
"""

from graders.sandbox.jail import Jail, Jails, Limits, Verdict
from graders.sandbox.walls import Unsafe, Walls, walls

__all__ = ["Jail", "Jails", "Limits", "Unsafe", "Verdict", "Walls", "walls"]
