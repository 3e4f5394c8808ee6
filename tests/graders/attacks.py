"""Attacks on the jail, and how they are tried: `python -m tests.graders.attacks bubblewrap` prints what came of them.

Each is the body of `grade`. One that gets what it wants returns something true; one that wants to harm by using
things up must be cut. Numbers of system calls are those of x86-64.
"""

import json
import sys
from typing import Any, get_args

from graders.sandbox import Jail, Limits, Verdict, Walls
from graders.sandbox.attacks import HONEST, SELF_TEST, source_of
from graders.sandbox.walls import Kind

HOST_FILE = "/tmp/whetstone-jail-test-host-file"
SYSCALL = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nreturn libc.syscall({}) >= 0"


def syscall(*arguments: object) -> str:
    return SYSCALL.format(", ".join(map(str, arguments)))


FILES = {
    "reads the passwords": "return len(open('/etc/shadow').read())",
    "reads keys": "import glob, os\nreturn len(open(os.path.expanduser('~root/.ssh/id_rsa')).read())",
    "reads the host's file": f"return len(open('{HOST_FILE}').read())",
    "reads it through a link": f"import os\nos.symlink('{HOST_FILE}', 'link')\nreturn len(open('link').read())",
    "links it": f"import os\nos.link('{HOST_FILE}', 'link')\nreturn 1",
    "moves it": f"import os\nos.rename('{HOST_FILE}', 'mine')\nreturn 1",
    "deletes it": f"import os\nos.unlink('{HOST_FILE}')\nreturn 1",
    "empties it": f"import os\nos.truncate('{HOST_FILE}', 0)\nreturn 1",
    "empties it by opening": f"import os\nos.open('{HOST_FILE}', os.O_RDONLY | os.O_TRUNC)\nreturn 1",
    "opens it to the world": f"import os\nos.chmod('{HOST_FILE}', 0o777)\nreturn 1",
    "changes its times": f"import os\nos.utime('{HOST_FILE}', (0, 0))\nreturn 1",
    "takes it": f"import os\nos.chown('{HOST_FILE}', os.getuid(), -1)\nreturn 1",
    "marks it": f"import os\nos.setxattr('{HOST_FILE}', b'user.x', b'y')\nreturn 1",
    "lists the folder above": "import os\nreturn len(os.listdir('..')) > 1",
    "lists the root by a descriptor": "import os\nreturn len(os.listdir(os.open('/', os.O_RDONLY))) > 12",
    "reads its own memory as a file": "return open('/proc/self/mem', 'rb') is not None",
    "reads its own environment as a file": "return len(open('/proc/self/environ', 'rb').read()) > 0",
    "reads the kernel": "return len(open('/proc/kallsyms').read(100)) > 0",
    "lists devices of the kernel": "import os\nreturn len(os.listdir('/sys')) > 0",
    "opens a disk": "return any(open(f'/dev/{n}', 'rb') for n in ('vda', 'sda', 'nvme0n1'))",
    "opens the machine's memory": "return open('/dev/mem', 'rb') is not None",
    "writes into shared memory": "open('/dev/shm/x', 'w').write('x')\nreturn 1",
    "makes a device": "import os\nos.mknod('null', 0o20666, os.makedev(1, 3))\nreturn 1",
    "makes a program that runs as its owner": "import os\nopen('x', 'w').close()\nos.chmod('x', 0o4755)\nreturn 1",
    "changes its root": "import os\nos.chroot('.')\nreturn 1",
    "opens files by handle": syscall(304, -100, 0, 0),
}
NETWORK = {
    "connects to the host": "import socket\nsocket.create_connection(('127.0.0.1', 22), 0.1)\nreturn 1",
    "opens IPv6": "import socket\nsocket.socket(socket.AF_INET6)\nreturn 1",
    "opens a local socket": "import socket\nsocket.socket(socket.AF_UNIX)\nreturn 1",
    "opens a pair of sockets": "import socket\nsocket.socketpair()\nreturn 1",
    "talks to the kernel": "import socket\nsocket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)\nreturn 1",
    "sends raw packets": "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_RAW, 1)\nreturn 1",
    "looks up a name": "import socket\nreturn len(socket.getaddrinfo('example.com', 80))",
    "fetches a page": "import urllib.request\nreturn len(urllib.request.urlopen('http://127.0.0.1', timeout=1).read())",
}
PROCESSES = {
    "forks in C": "import ctypes\npid = ctypes.CDLL(None).fork()\nreturn pid >= 0",
    "forks by the system call": syscall(57),
    "forks by vfork": syscall(58),
    "clones": syscall(56, 17, 0, 0, 0, 0),
    "clones the new way": syscall(435, 0, 0),
    "uses a shell": "import os\nreturn os.system('true') == 0",
    "spawns": "import os\nreturn os.posix_spawn('/bin/true', ['true'], {}) > 0",
    "uses multiprocessing": "import multiprocessing\np = multiprocessing.Process(target=print)\np.start()\nreturn 1",
    "runs a program out of memory": "import os\nos.execve(os.memfd_create('x'), ['x'], {})\nreturn 1",
    "kills everybody": "import os\nos.kill(-1, 9)\nreturn 1",
    "kills its group": "import os\nos.killpg(os.getpgid(os.getppid()), 9)\nreturn 1",
    "kills its parent by a thread": syscall(200, "__import__('os').getppid()", 9),
    "opens its parent": syscall(434, "__import__('os').getppid()", 0),
    "reads its parent's memory": syscall(310, "__import__('os').getppid()", 0, 0, 0, 0, 0),
    "slows its parent": "import os\nos.setpriority(os.PRIO_PROCESS, os.getppid(), 19)\nreturn 1",
    "limits its parent": "import os, resource\nresource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))\nreturn 1",
}
PRIVILEGES = {
    "becomes another user": "import os\nos.setuid(1)\nreturn 1",
    "joins a group": "import os\nos.setgroups([0])\nreturn 1",
    "takes capabilities": "import ctypes\nreturn ctypes.CDLL(None).capset(b'\\0' * 8, b'\\xff' * 24) == 0",
    "enters a namespace": syscall(308, 0, 0x40000000),
    "mounts": "import ctypes\nreturn ctypes.CDLL(None).mount(b'none', b'.', b'tmpfs', 0, None) == 0",
    "takes its filter off": "import ctypes\nreturn ctypes.CDLL(None).prctl(22, 0, 0, 0, 0) == 0",
    "uses keys of the kernel": syscall(250, 0, -3, 0),
    "loads a program into the kernel": syscall(321, 0, 0, 0),
    "makes a ring of calls": syscall(425, 8, 0),
    "handles its own page faults": syscall(323, 0),
    "counts events": syscall(298, 0, 0, -1, -1, 0),
    "loads a module": syscall(175, 0, 0, 0),
    "renames the host": "import socket\nsocket.sethostname('x')\nreturn 1",
    "sets the clock": "import time\ntime.clock_settime(time.CLOCK_REALTIME, 0)\nreturn 1",
    "restarts the machine": syscall(169, 0, 0, 0, 0),
}
USING_UP = {
    "maps memory": "import mmap\nreturn len(mmap.mmap(-1, 1 << 31)) > 0",
    "hoards": "held = []\nwhile True:\n    held.append(bytearray(1 << 20))",
    "hides memory in a file of its own": "import os\nfd = os.memfd_create('x')\nreturn os.write(fd, b'x') > 0",
    "fills a file": "f = open('big', 'wb')\nwhile True:\n    f.write(b'x' * (1 << 20))",
    "makes a thousand files": (
        "for n in range(1000):\n    open(str(n), 'wb').write(b'x' * 65536)\nwhile True:\n    pass"
    ),
    "opens a thousand files": "held = [open('x', 'w') for _ in range(1000)]\nreturn 1",
    "starts a thousand threads": (
        "import threading, time\nfor _ in range(1000):\n    threading.Thread(target=time.sleep, args=(9,)).start()\n"
        "return 1"
    ),
    "sleeps": "import time\ntime.sleep(100)",
    "waits for a lock": "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    "stops itself": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\nreturn 1",
    "has a catastrophic pattern": "import re\nre.match('(a+)+$', 'a' * 40 + 'b')\nreturn 1",
    "computes a tower": "return 10 ** 10 ** 10 > 0",
    "goes too deep": "f = lambda n: f(n + 1)\nreturn f(0)",
    "crashes": "import ctypes\nctypes.string_at(0)\nreturn 1",
    "aborts": "import os\nos.abort()",
    "leaves": "import os\nos._exit(0)",
    "leaves politely": "import sys\nsys.exit(0)",
    "prints a gigabyte": "for _ in range(1 << 10):\n    print('x' * (1 << 20))\nwhile True:\n    pass",
    "prints past Python": "import os\nwhile True:\n    os.write(1, b'x' * (1 << 16))",
    "floods every descriptor": (
        "import os\nwhile True:\n    for fd in range(3, 64):\n        try:\n            os.write(fd, b'x' * 65536)\n"
        "        except OSError:\n            pass"
    ),
    "lies about later calls": (
        'import os\nfor fd in range(3, 64):\n    try:\n        os.write(fd, b\'{"score": "9"}\\n\' * 9)\n'
        "    except OSError:\n        pass\nos._exit(0)"
    ),
    "gives something that never becomes a number": (
        "import numbers\nclass N(numbers.Rational):\n    numerator = denominator = property(lambda s: s.spin())\n"
        "    def spin(s):\n        while True:\n            pass\n"
        "for n in N.__abstractmethods__:\n    setattr(N, n, N.spin)\nN.__abstractmethods__ = frozenset()\nreturn N()"
    ),
    "raises something that cannot be shown": ("class E(BaseException):\n    def __str__(s):\n        raise s\nraise E"),
    "closes its descriptors": "import os\nos.closerange(0, 64)\nreturn 1",
}
ATTACKS = {**SELF_TEST, **FILES, **NETWORK, **PROCESSES, **PRIVILEGES, **USING_UP}
QUICK = Limits(timeout_s=0.4, memory_mb=512, scratch_mb=4)


def tried(kind: Kind) -> dict[str, Verdict]:
    """What came of every attack behind these walls, all in one jail, and of honest code after them."""
    with Jail(source_of(HONEST), (), QUICK, Walls(kind)) as jail:
        found = {name: jail.run([(None, None)], source=source_of(body))[0] for name, body in ATTACKS.items()}
        found["honest"] = jail.run([(None, None)])[0]
    return found


def read(printed: str) -> dict[str, Verdict]:
    told: dict[str, Any] = json.loads(printed)
    return {name: Verdict(*verdict) for name, verdict in told.items()}


if __name__ == "__main__":
    (chosen,) = [kind for kind in get_args(Kind) if kind == sys.argv[1]]
    print(json.dumps(tried(chosen)))
