"""Two-digit addition, worked out digit by digit: chat demonstrations to imitate, and problems to practise on.

Seven of ten demonstrations forget the carry. A model that learns from them has the wrong habit and the right
one side by side, and reinforcement learning can choose between them.
"""

import hashlib
import random
from collections.abc import Iterator
from typing import Any, Literal, get_args

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
Row = dict[str, Any]  # Any: one row of JSON

FORGETFUL = 0.7
HELD_OUT_SHARE = 16
"""One problem in so many belongs to each of the two held-out splits."""


def split_of(a: int, b: int) -> Split:
    """Where a problem belongs: decided by its hash, so that no list has to be kept and no problem is in two."""
    bucket = hashlib.sha256(f"{a}+{b}".encode()).digest()[0] % HELD_OUT_SHARE
    return "validation" if bucket == 0 else "test" if bucket == 1 else "train"


def problems(split: Split, seed: int = 0) -> Iterator[Row]:
    """Every problem of a split once, in an order drawn from the seed: a question, and its `answer` for a grader."""
    pairs = _pairs(split)
    random.Random(seed).shuffle(pairs)
    for a, b in pairs:
        yield {"messages": [{"role": "user", "content": question(a, b)}], "answer": str(a + b)}


def demonstrations(rows: int, seed: int = 0, forgetful: float = FORGETFUL) -> Iterator[Row]:
    """Answered problems of the training split. The given share of them forgets the carry."""
    draw = random.Random(seed)
    pairs = _pairs("train")
    for _ in range(rows):
        a, b = draw.choice(pairs)
        answer = worked_out(a, b, carries=draw.random() >= forgetful)
        yield {
            "messages": [
                {"role": "user", "content": question(a, b)},
                {"role": "assistant", "content": answer},
            ],
            "answer": str(a + b),
        }


def question(a: int, b: int) -> str:
    return f"{a}+{b}"


def worked_out(a: int, b: int, *, carries: bool) -> str:
    """The scratchpad and the result: the ones, the tens, the tens with the carry, and after `#` the sum.

    Who forgets the carry adds 0 in its place. So right and wrong part at one digit, and share all the rest.
    """
    ones, tens = a % 10 + b % 10, a // 10 + b // 10
    carry = ones // 10 if carries else 0
    steps = [f"{a % 10}+{b % 10}={ones}", f"{a // 10}+{b // 10}={tens}", f"{tens}+{carry}={tens + carry}"]
    return " ".join([*steps, f"#{tens + carry}{ones % 10}"])


def _pairs(split: Split) -> list[tuple[int, int]]:
    return [(a, b) for a in range(10, 100) for b in range(10, 100) if split_of(a, b) == split]
