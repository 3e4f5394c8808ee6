"""The matrix as a table: `python -m tests.faults.report` puts what `make faults` found into the guide."""

import sys
from typing import Any

from scripts.compose import ROOT
from tests.faults.runs import results

GUIDE = ROOT / "docs" / "guides" / "reliability.md"
BEGIN, END = "<!-- matrix: begin -->", "<!-- matrix: end -->"
HEAD = "| fault | times tried | lost | doubled | overlaps | median time to recover |\n|---|---|---|---|---|---|"


def table(rows: list[dict[str, Any]]) -> str:
    """One line a fault; of a fault that was tried again, what came last."""
    newest = {row["fault"]: row for row in rows}
    return "\n".join([HEAD, *map(_line, newest.values())])


def _line(row: dict[str, Any]) -> str:
    median = row["median_recovery_s"]
    recovery = "" if median is None else f"{median:.1f} s"
    return f"| {row['fault']} | {row['tried']} | {row['lost']} | {row['doubled']} | {row['overlaps']} | {recovery} |"


def main() -> int:
    """Write the table between the guide's two marks."""
    rows = results()
    if not rows:
        print("Nothing was tried yet. Run `make faults` first.", file=sys.stderr)
        return 1
    before, _, rest = GUIDE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    GUIDE.write_text(f"{before}{BEGIN}\n{table(rows)}\n{END}{after}")
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
