"""`make bench`: everything that is measured. `make bench ARGS="graders latency"` measures a part."""

import importlib
import os
import platform
import sys
from pathlib import Path


def main(names: list[str]) -> None:
    every = sorted(p.stem for p in Path(__file__).parent.glob("*.py") if not p.stem.startswith("_"))
    if unknown := set(names) - set(every):
        sys.exit(f"There is no benchmark {', '.join(sorted(unknown))}. There are: {', '.join(every)}.")
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for name in names or every:
        print(f"\n{name}\n{'-' * len(name)}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
