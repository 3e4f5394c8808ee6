"""Small pictures of numbers, as coordinates for SVG."""

from dataclasses import dataclass

from whetstone.evaluations.numbers import Measure, Numbers

WIDTH, HEIGHT = 320, 96


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    count: int
    low: float
    high: float


@dataclass(frozen=True)
class Point:
    k: int
    x: float
    y: float
    low: float
    high: float
    measure: Measure


def bars_of(numbers: Numbers) -> list[Bar]:
    """The histogram of the scores."""
    found = numbers["histogram"]
    if found is None:
        return []
    most, step = max(1, *found["counts"]), (found["high"] - found["low"]) / len(found["counts"])
    width = WIDTH / len(found["counts"])
    return [
        Bar(
            x=round(n * width + 0.5, 2),
            y=round(HEIGHT - HEIGHT * count / most, 2),
            width=round(width - 1, 2),
            height=round(HEIGHT * count / most, 2),
            count=count,
            low=found["low"] + n * step,
            high=found["low"] + (n + 1) * step,
        )
        for n, count in enumerate(found["counts"])
    ]


def points_of(numbers: Numbers) -> list[Point]:
    """pass@k over k."""
    passes = [one for one in numbers["measures"] if one["name"].startswith("pass@")]
    return [_point(n, len(passes), one) for n, one in enumerate(passes)]


def _point(n: int, of: int, one: Measure) -> Point:
    def height(value: float) -> float:
        return round(HEIGHT * (1 - min(1.0, max(0.0, value))), 2)

    low, high = one["low"], one["high"]
    return Point(
        k=int(one["name"].removeprefix("pass@")),
        x=round(8 + (WIDTH - 16) * n / max(1, of - 1), 2),
        y=height(one["value"]),
        low=height(one["value"] if low is None else low),
        high=height(one["value"] if high is None else high),
        measure=one,
    )
