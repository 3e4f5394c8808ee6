"""The matrix as a table: `python -m tests.faults.report` puts what `make faults` found into the guide."""

import os
import sys
from datetime import UTC, datetime
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


def circumstances(rows: list[dict[str, Any]]) -> str:
    """When it was, how long it took between the first row's end and the last's, and how busy the machine was."""
    ends, loads = [row["at"] for row in rows], [row["load"] for row in rows]
    day = datetime.fromtimestamp(max(ends), UTC).date()
    tried = sum(row["tried"] for row in rows)
    busy = f"a load average of {min(loads):.0f} to {max(loads):.0f} on {os.cpu_count()} cores"
    return f"{day}: {len(rows)} rows, {tried} jobs, {(max(ends) - min(ends)) / 60:.0f} minutes, {busy}."


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
    GUIDE.write_text(f"{before}{BEGIN}\n{circumstances(rows)}\n\n{table(rows)}\n{END}{after}")
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
