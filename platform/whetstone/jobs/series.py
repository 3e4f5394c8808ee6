"""A job's metrics as curves, thinned for the eye."""

from collections import defaultdict

from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from whetstone.jobs.metric_names import NAMES, ORDER, describe
from whetstone.jobs.models import Job

Points = list[tuple[int, float]]


class Key(TypedDict):
    """What a curve is called, and what it says."""

    key: str
    title: str
    group: str
    about: str
    band: tuple[float | None, float | None] | None


class Began(TypedDict):
    """An attempt."""

    number: int
    from_step: int
    at: float


class Series(TypedDict):
    steps_total: int
    keys: list[Key]
    points: dict[str, Points]
    evaluations: dict[str, Points]
    attempts: list[Began]
    last: int


def series(job: Job, max_points: int = 1000) -> Series:
    """Everything the charts draw: at most about `max_points` points a curve, extremes kept."""
    metrics = _curves(job, "metrics", max_points)
    evaluations = _curves(job, "evaluation")
    return {
        "steps_total": job.total_steps,
        "keys": _keys(list(metrics) + [key for key in evaluations if key not in metrics]),
        "points": metrics,
        "evaluations": evaluations,
        "attempts": [
            {"number": a.number, "from_step": a.from_step, "at": a.started_at.timestamp()} for a in job.attempts.all()
        ],
        "last": job.last_event,
    }


def _curves(job: Job, event_type: str, most: int | None = None) -> dict[str, Points]:
    """The curve of every key, thinned while it is read, so that a long job takes no more memory than a short one."""
    told = job.events.filter(type=event_type, number__lte=job.last_event).order_by("step")
    steps = told.count() if most else 0
    bucket = -(-steps // max(1, most // 2)) if most and steps > most else 1
    curves: dict[str, Points] = defaultdict(list)
    unsorted: dict[str, Points] = defaultdict(list)
    for place, (step, data) in enumerate(told.values_list("step", "data").iterator(chunk_size=500), start=1):
        for key, value in data["values"].items():
            unsorted[key].append((step or 0, value))
        if place % bucket == 0:
            _take(unsorted, curves)
    _take(unsorted, curves)
    return dict(curves)


def _take(buckets: dict[str, Points], curves: dict[str, Points]) -> None:
    """Of each bucket the lowest and the highest point, in order, so that no spike is lost."""
    for key, points in buckets.items():
        curves[key] += sorted({min(points, key=_value), max(points, key=_value)})
    buckets.clear()


def _keys(keys: list[str]) -> list[Key]:
    described = [(key, describe(key)) for key in keys]
    groups, known = [str(group) for group in ORDER], list(NAMES)
    described.sort(key=lambda pair: (groups.index(str(pair[1].group)), _rank(pair[0], known), pair[0]))
    return [
        {"key": key, "title": str(m.title), "group": str(m.group), "about": str(m.about), "band": m.band}
        for key, m in described
    ]


def _rank(key: str, known: list[str]) -> int:
    """What everybody looks at first stands first: the order in which the names are written down."""
    return known.index(key) if key in known else len(known)


def _value(point: tuple[int, float]) -> float:
    return point[1]
