"""Did as many rows turn right as turned wrong? McNemar's test, exact."""

from math import comb


def mcnemar(turned_right: int, turned_wrong: int) -> float:
    """The two-sided p-value: how likely a split at least as uneven is when neither model is better (McNemar 1947, with
    the binomial distribution instead of its approximation). 1 where no row turned."""
    n, fewer = turned_right + turned_wrong, min(turned_right, turned_wrong)
    tail: float = sum(comb(n, k) for k in range(fewer + 1)) / 2**n
    return min(1.0, 2 * tail)
