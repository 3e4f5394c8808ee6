"""How far people who label the same things agree beyond chance.

Cohen, J. (1960). A coefficient of agreement for nominal scales. Educational and Psychological Measurement, 20(1).
Krippendorff, K. (2011). Computing Krippendorff's Alpha-Reliability. University of Pennsylvania.
Fleiss' kappa is not used: it wants the same number of judgements of everything, which a queue of labels never has.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple


class Agreement(NamedTuple):
    """Between all who judged something that somebody else judged, too."""

    people: int
    shared: int
    """Things that two or more of them judged."""
    same: float
    """The share of pairs of judgements of one thing that are alike."""
    alpha: float | None
    """Krippendorff's. None where there was nothing to disagree about: everybody always said the same one word."""
    kappa: float | None
    """Cohen's, between two people. None for more of them, or where chance alone would always agree."""


def agreement(judged: Mapping[Hashable, Mapping[Hashable, Hashable]]) -> Agreement | None:
    """`judged`: what was said, by thing and by person. None where nothing was judged by two."""
    shared = [by_person for by_person in judged.values() if len(by_person) > 1]
    if not shared:
        return None
    people = sorted({person for by_person in shared for person in by_person}, key=str)
    kappa = None
    if len(people) == 2:
        one, other = people
        kappa = cohens_kappa([by_person[one] for by_person in shared], [by_person[other] for by_person in shared])
    words = [list(by_person.values()) for by_person in shared]
    return Agreement(len(people), len(shared), _same(words), krippendorffs_alpha(words), kappa)


def _same(units: Sequence[Sequence[Hashable]]) -> float:
    pairs = sum(len(unit) * (len(unit) - 1) for unit in units)
    alike = sum(count * (count - 1) for unit in units for count in Counter(unit).values())
    return alike / pairs


def cohens_kappa(one: Sequence[Hashable], other: Sequence[Hashable]) -> float | None:
    """(p_o - p_e) / (1 - p_e): agreement beyond what two people reach who throw dice with their own habits."""
    n = len(one)
    observed = sum(a == b for a, b in zip(one, other, strict=True)) / n
    ours, theirs = Counter(one), Counter(other)
    expected = sum(ours[word] * theirs[word] for word in ours) / n**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def krippendorffs_alpha(units: Sequence[Sequence[Hashable]]) -> float | None:
    """1 - D_o / D_e for nominal data, any number of people, and things that not everybody judged.

    `units`: what was said of each thing. What only one person judged cannot be paired and does not count.
    """
    paired = [Counter(unit) for unit in units if len(unit) > 1]
    totals: Counter[Hashable] = sum(paired, Counter())
    n = totals.total()
    differing = sum(_differing(unit) / (unit.total() - 1) for unit in paired)
    by_chance = _differing(totals)
    return None if by_chance == 0 else 1 - (n - 1) * differing / by_chance


def _differing(counts: "Counter[Hashable]") -> int:
    """Ordered pairs of unlike words."""
    return counts.total() ** 2 - sum(count**2 for count in counts.values())
