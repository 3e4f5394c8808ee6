"""`make test`: the platform's own tests on PostgreSQL, where there is one, and then every test on SQLite."""

import os
import subprocess
import sys

from scripts import machine

ON_POSTGRES = ["tests/whetstone"]
PROCESSES = min(4, os.cpu_count() or 1)
AT_ONCE = ["-n", str(PROCESSES), "--dist", "loadfile"]
"""The tests of a file stay together: they share what is slow to make."""


def main(arguments: list[str]) -> int:
    """With arguments: those to pytest, once, in one process, on what the environment says."""
    if arguments:
        return run(arguments, dict(os.environ))
    without_database = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    server = machine.postgres()
    on_postgres = 0
    if server is not None:
        print("The platform's tests on PostgreSQL", flush=True)
        # pytest-django makes test_<this name>_gw0, and so on: two runs on one machine do not meet.
        suffixes = [f"_gw{n}" for n in range(PROCESSES)]
        with machine.fresh_name(server, "test_whetstone_", suffixes) as name:
            address = f"{server}/{name.removeprefix('test_')}"
            on_postgres = run([*AT_ONCE, *ON_POSTGRES], {**without_database, "DATABASE_URL": address})
    print("Every test on SQLite", flush=True)
    on_sqlite = run(AT_ONCE, without_database)
    if on_postgres:
        print("On PostgreSQL tests failed: see the first of the two runs above.", flush=True)
    return on_sqlite or on_postgres


def run(arguments: list[str], environment: dict[str, str]) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
