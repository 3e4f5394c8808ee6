import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from graders.sandbox import Jail, Jails, Limits, Unsafe, Verdict, Walls
from graders.sandbox.attacks import HONEST, holes, source_of
from graders.sandbox.inside.syscalls import COMPUTING
from graders.sandbox.jail import LANES
from graders.sandbox.walls import NOBODY, Kind, first_that_hold, walls
from tests.graders.attacks import ATTACKS, HOST_FILE, QUICK, read, tried

ROOT = Path(__file__).parents[2]
NO_CALL = [(None, None)]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="jails need Linux")
kinds = pytest.mark.parametrize(
    "kind",
    [
        pytest.param(
            "bubblewrap", marks=pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")
        ),
        "landlock",
    ],
)


def python_for_nobody() -> str | None:
    """A Python like this one that a user without rights may start."""
    for candidate in (os.path.realpath(sys.executable), f"/usr/bin/python3.{sys.version_info.minor}"):
        folders = [parent.stat().st_mode & 0o5 for parent in Path(candidate).parents if parent.exists()]
        if Path(candidate).exists() and all(mode == 0o5 for mode in folders):
            return candidate
    return None


def as_nobody(*command: str) -> str:
    packages = next(path for path in sys.path if path.endswith("site-packages") and (Path(path) / "pydantic").exists())
    environment = {"PYTHONPATH": f"{ROOT}:{packages}", "HOME": "/tmp", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        command, user=NOBODY, group=NOBODY, extra_groups=[], env=environment, cwd="/", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def children() -> set[int]:
    found = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a thread that has just ended
            found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


def run(
    source: str, samples: Sequence[object] = (None,), limits: Limits = QUICK, *, is_shared: bool = True
) -> list[Verdict]:
    with Jail(source, limits=limits) as jail:
        return jail.run([(sample, {}) for sample in samples], is_shared=is_shared)


def held(found: dict[str, Verdict]) -> None:
    honest = found.pop("honest")
    assert honest.score == 2
    assert found.keys() == ATTACKS.keys()
    assert not {name: verdict for name, verdict in found.items() if verdict.score or verdict.unscored}
    # An attack that is not tried at all would look the same as one that was held back.
    assert not [name for name, verdict in found.items() if verdict.error and "SyntaxError" in verdict.error]


@kinds
def test_no_attack_gets_out(kind: Kind) -> None:
    Path(HOST_FILE).write_text("host")
    before = children()
    held(tried(kind))
    assert Path(HOST_FILE).read_text() == "host"
    assert not children() - before


@kinds
@pytest.mark.skipif(os.geteuid() != 0, reason="the tests run as an ordinary user anyway")
@pytest.mark.skipif(python_for_nobody() is None, reason="no Python here that an ordinary user may start")
def test_no_attack_gets_out_of_an_ordinary_users_jail(kind: Kind) -> None:
    Path(HOST_FILE).write_text("host")
    held(read(as_nobody(str(python_for_nobody()), "-m", "tests.graders.attacks", kind)))
    assert Path(HOST_FILE).read_text() == "host"


@kinds
def test_the_self_test_finds_no_hole(kind: Kind) -> None:
    assert holes(Walls(kind)) == ""


class WithoutLandlock(Walls):
    def setup(self, scratch: Path, scratch_mb: int) -> dict[str, object]:
        return super().setup(scratch, scratch_mb) | {"landlock": False}


def test_opening_to_read_empties_no_file_even_without_landlock(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("mine")
    source = source_of(f"import os\nos.open({str(mine)!r}, os.O_RDONLY | os.O_TRUNC)\nreturn 1")
    with Jail(source, limits=QUICK, behind=WithoutLandlock("landlock")) as jail:
        (told,) = jail.run(NO_CALL)
    assert "PermissionError" in str(told.error)
    assert mine.read_text() == "mine"


def test_the_self_test_finds_a_missing_wall() -> None:
    assert "was not held back" in holes(WithoutLandlock("landlock"))


def test_a_program_that_does_not_start_is_no_wall(tmp_path: Path) -> None:
    class Broken(Walls):
        def command(self, scratch: Path, scratch_mb: int) -> list[str]:
            return ["/bin/sh", "-c", "echo no namespaces here >&2; exit 1"]

    assert "no namespaces here" in holes(Broken("bubblewrap"))


def test_where_nothing_holds_code_is_refused_with_a_sentence() -> None:
    with pytest.raises(Unsafe, match="Install bubblewrap"):
        first_that_hold(())


def test_some_walls_hold_on_this_machine() -> None:
    assert walls().kind in ("bubblewrap", "landlock")


def test_what_is_printed_is_kept_apart_from_the_result() -> None:
    (told,) = run("def grade(s, i):\n    print('{\"score\": 9}')\n    return 1")
    assert told == Verdict(1.0, printed='{"score": 9}\n')


def test_of_a_gigabyte_that_is_printed_the_beginning_is_kept() -> None:
    (told,) = run(
        "def grade(s, i):\n    for _ in range(100):\n        print('x' * 10**7)\n    return 1", limits=Limits()
    )
    assert told.score == 1
    assert told.printed == "x" * 2000


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("float('nan')", "ValueError: grade gave nan"),
        ("float('inf')", "ValueError: grade gave inf"),
        ("'1'", "TypeError: grade gave str"),
        ("None", "TypeError: grade gave NoneType"),
        ("[1]", "TypeError: grade gave list"),
        ("10 ** 400", "OverflowError"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_what_is_no_score_is_an_error(value: str, reason: str) -> None:
    (told,) = run(f"def grade(s, i):\n    return {value}")
    assert told.score is None
    assert reason in str(told.error)


@pytest.mark.parametrize("value", ["True", "3", "2.5", "__import__('fractions').Fraction(1, 2)"])
def test_any_real_number_is_a_score(value: str) -> None:
    (told,) = run(f"def grade(s, i):\n    return {value}")
    assert told.score == float(eval(value))


def test_the_traceback_is_of_the_code_alone() -> None:
    (told,) = run("def deeper(s):\n    return s['x']\ndef grade(s, i):\n    return deeper({})")
    assert told.error is not None
    assert "File \"grader.py\", line 2, in deeper\n    return s['x']" in told.error
    assert told.error.endswith("KeyError: 'x'")
    assert "work.py" not in told.error


def test_a_call_that_hangs_costs_no_other_call_its_score() -> None:
    told = run("def grade(s, i):\n    while s == 'hang':\n        pass\n    return 1", ["a", "hang", "b", "hang", "c"])
    assert [one.score for one in told] == [1, None, 1, None, 1]
    assert told[1].error == "It did not finish within 0.4 s."


def test_a_call_that_crashes_costs_no_other_call_its_score() -> None:
    told = run("import os\ndef grade(s, i):\n    if s: os.abort()\n    return 1", [0, 1, 0])
    assert [one.score for one in told] == [1, None, 1]


def test_calls_for_which_no_time_is_left_are_not_scored() -> None:
    told = run("def grade(s, i):\n    while True:\n        pass", range(9), Limits(timeout_s=0.1))
    assert told[0].error is not None
    assert told[-1] == Verdict(None, unscored="The batch had no time left for this one.", is_late=True)


def test_code_that_cannot_begin_says_why_for_every_call() -> None:
    told = run("import a_module_that_is_not_here\ndef grade(s, i):\n    return 1", [1, 2])
    assert ["No module named 'a_module_that_is_not_here'" in str(one.error) for one in told] == [True, True]


COUNTS = "seen = []\ndef grade(s, i):\n    seen.append(s)\n    return len(seen)"


def test_one_process_grades_a_batch() -> None:
    assert [one.score for one in run(COUNTS, "abc")] == [1, 2, 3]


def test_each_sample_can_have_a_process_of_its_own() -> None:
    assert [one.score for one in run(COUNTS, "abc", is_shared=False)] == [1, 1, 1]


POISON = """
import builtins, json, os, sys
def grade(sample, item):
    if sample == "poison":
        builtins.len = lambda x: 99
        json.dumps = lambda *a, **k: '{"score": 9}'
        sys.modules["math"] = None
        open("left", "w").write("x")
        os.environ["LEFT"] = "x"
        return 1
    import math
    return len(os.listdir(".")) + ("LEFT" in os.environ)
"""


def test_nothing_is_left_for_the_next_batch() -> None:
    with Jail(POISON, limits=QUICK) as jail:
        jail.run([("poison", {})])
        assert jail.run([("honest", {})]) == [Verdict(0.0)]


def test_a_jail_that_was_killed_begins_anew() -> None:
    before = children()
    with Jail(source_of(HONEST), limits=QUICK) as jail:
        jail.run(NO_CALL)
        (pid,) = children() - before
        os.killpg(pid, 9)
        (lost,) = jail.run(NO_CALL)
        assert lost.score is None
        assert lost.unscored is not None
        assert jail.run(NO_CALL)[0].score == 2


def test_a_jail_ends_with_who_started_it(tmp_path: Path) -> None:
    program = (
        "import os\nfrom pathlib import Path\nfrom graders.sandbox import Jail\n"
        "jail = Jail('def grade(s, i):\\n    return 1')\njail.run([(None, None)])\n"
        "print(Path(f'/proc/self/task/{os.getpid()}/children').read_text(), flush=True)\nos.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    pid = int(done.stdout.split()[0])
    while Path(f"/proc/{pid}").exists():  # its pipe has ended: it is on its way out
        os.sched_yield()


def test_the_same_code_meets_a_warm_jail() -> None:
    with Jails() as jails:
        first = jails.of(COUNTS)
        assert jails.of(COUNTS) is first
        assert jails.of(COUNTS, limits=QUICK) is not first
        assert len(set(map(id, jails.lanes(99, COUNTS)))) == LANES


def test_the_jail_used_longest_ago_makes_room() -> None:
    with Jails(most=2) as jails:
        first, _ = jails.of("1"), jails.of("2")
        assert jails.of("1") is first
        jails.of("3")
        assert jails.of("1") is first


def test_preloaded_packages_are_there_before_the_first_call() -> None:
    source = "import sys\nthere = 'rapidfuzz' in sys.modules\ndef grade(s, i):\n    return there"
    with Jail(source, ["rapidfuzz"], QUICK) as jail:
        assert jail.run(NO_CALL)[0].score == 1


def test_no_call_that_could_let_code_out_is_on_the_list() -> None:
    never = {"socket", "connect", "execve", "execveat", "fork", "vfork", "clone", "clone3", "ptrace", "mount", "setuid"}
    never |= {
        "chmod",
        "fchmod",
        "chown",
        "memfd_create",
        "kill",
        "tgkill",
        "prctl",
        "unshare",
        "setns",
        "bpf",
        "keyctl",
    }
    never |= {"io_uring_setup", "process_vm_readv", "open_by_handle_at", "truncate", "link", "linkat", "symlink"}
    assert not never & COMPUTING.keys()
