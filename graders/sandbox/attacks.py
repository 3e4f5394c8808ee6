"""What code tries that wants out. The self-test runs these behind walls before anything else may."""

import textwrap

from graders.sandbox.walls import Walls

HONEST = "print('out')\nreturn 1 + 1"
SELF_TEST: dict[str, str] = {
    "reads a file of the host": "return len(open('/etc/passwd').read()) > 0",
    "lists the host's folders": "import os\nreturn len(os.listdir('/etc')) > 3",
    "lists the host's processes": "import os\nreturn len(os.listdir('/proc')) > 0",
    "reads another process's environment": "return len(open('/proc/1/environ', 'rb').read()) > 0",
    "reads its starter's environment": "import os\nreturn len(os.environ) > 8",
    "writes beside its scratch": "open('/tmp/whetstone-was-here', 'w').write('x')\nreturn 1",
    "writes into Python": "import json\nopen(json.__file__, 'a').write('')\nreturn 1",
    "opens a connection": "import socket\nsocket.socket()\nreturn 1",
    "starts a process": "import os\nif os.fork() == 0:\n    os._exit(0)\nreturn 1",
    "starts a program": "import subprocess\nsubprocess.run(['/bin/true'])\nreturn 1",
    "becomes a program": "import os\nos.execv('/bin/true', ['true'])",
    "reaches the process that started it": "import os\nos.kill(os.getppid(), 0)\nreturn 1",
    "becomes root": "import os\nos.setresuid(0, 0, 0)\nreturn 1",
    "makes a user namespace": "import ctypes\nreturn ctypes.CDLL(None).unshare(0x10000000) == 0",
    "traces its parent": "import ctypes, os\nreturn ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0",
    "lifts its own limits": "import resource\nresource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))\nreturn 1",
    "takes more memory than it may": "return len(bytearray(1 << 31)) > 0",
    "never ends": "while True:\n    pass",
}
"""Bodies of `grade`. One that gets what it wants returns something true."""


def source_of(body: str) -> str:
    """The source of a grader with this body."""
    return "def grade(sample, item):\n" + textwrap.indent(body, "    ") + "\n"


def holes(behind: Walls) -> str:
    """What is wrong with these walls, in a few words; empty when they hold."""
    from graders.sandbox.jail import Jail, Limits

    quick = Limits(timeout_s=0.3, memory_mb=1024, scratch_mb=1)
    try:
        with Jail(source_of(HONEST), (), Limits(), behind) as honest:
            (told,) = honest.run([(None, None)])
        if told.score != 2 or told.printed != "out\n":
            return f"honest code does not run: {told.error or told.unscored}"
        with Jail(source_of(HONEST), (), quick, behind) as jail:
            for name, body in SELF_TEST.items():
                (told,) = jail.run([(None, None)], source=source_of(body))
                if told.score or told.unscored:
                    return f"code that {name} was not held back"
    except OSError as error:
        return str(error)[:300]
    return ""
