"""What a job would be, and what it would need: as `--dry-run` prints it."""

from collections.abc import Iterator
from typing import Any

Preview = dict[str, Any]  # Any: the API's JSON
UNITS = ((86_400, "days", 172_800), (3600, "h", 5400), (60, "min", 90))
"""Seconds of a unit, its name, and from where on it is used."""
FITS = {"fits": "fits", "tight": "tight", "too_big": "too big"}


def facts(preview: Preview, draft: Preview) -> Iterator[tuple[str, object]]:
    """Name and value of all that is known."""
    for name in ("method", "model", "rows", "held_out_rows", "steps"):
        if preview[name] is not None:
            yield name.replace("_", " "), preview[name]
    if preview["memory_gb"] is not None:
        yield "memory", memory(preview)
    if preview["time"]:
        yield "time", time(preview["time"])
    if preview["cost"]:
        yield "cost", cost(preview["cost"])
    if preview["pool"]:
        yield "pool", pool(preview, draft)
    if preview["changed"]:
        yield "settings changed", preview["changed"]


def memory(preview: Preview) -> str:
    there = f" of {preview['pool_memory_gb']}" if preview["pool_memory_gb"] else ""
    return f"about {preview['memory_gb']}{there} GB{_off(preview['memory_error'], preview['memory_jobs'])}"


def time(found: Preview) -> str:
    low, high = roughly(found["low_s"]), roughly(found["high_s"])
    between = f"about {low}" if low == high else f"{low} to {high}"
    if not found["jobs"]:
        return f"{between} (a first guess: nothing like it has been timed in this pool)"
    jobs = "1 job" if found["jobs"] == 1 else f"{found['jobs']} jobs"
    return f"{between} (from {jobs} in this pool){_off(found['error'], found['jobs'])}"


def cost(found: Preview) -> str:
    return f"{found['low']:.2g} to {found['high']:.2g} {found['currency']}, at {found['price']:g} an hour"


def pool(preview: Preview, draft: Preview) -> str:
    asked = (draft.get("resources") or {}).get("pool", "auto")
    if preview["fit"] is None:
        return str(preview["pool"])
    if preview["fit"] == "fits" and asked == "auto":
        return f"{preview['pool']}: the smallest it fits into"
    return f"{preview['pool']}: {FITS[preview['fit']]}"


def roughly(seconds: float) -> str:
    for size, unit, least in UNITS:
        if seconds >= least:
            return f"{seconds / size:.2g} {unit}" if seconds < 100 * size else f"{seconds / size:.0f} {unit}"
    return f"{max(1, round(seconds))} s"


def _off(error: float | None, jobs: int) -> str:
    if error is None:
        return ""
    share = "less than 1%" if error < 0.005 else f"{error:.0%}"
    return f"; estimates were off by {share} over {jobs} jobs"
