"""Grading many samples a chunk at a time, so that the first grades are seen while the others are still worked on."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import perf_counter
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.utils import translation

from graders import Grade, Grader, Item, Port, Sample, asks_outside, grade
from graders.sandbox import Jails

FIRST, FIRST_OUTSIDE, LARGEST = 16, 4, 256
"""Samples of a chunk: the first, the first where each may cost money, and the largest there is."""
CHUNK_S = 0.1
"""What a chunk should take: those after a slower one are smaller, those after a faster one larger."""

Answer = TypeVar("Answer")
Graded = Callable[[int, list[Grade]], Answer]


async def in_chunks(
    grader: Grader,
    samples: Sequence[Sample],
    items: Sequence[Item],
    port: Port,
    told: Graded[Answer],
    language: str | None = None,
) -> AsyncGenerator[Answer, None]:
    """What `told` makes of the place and the grades of every chunk. It is called in the thread that grades.

    A reader who goes away stops it: the chunk that is being graded is the last. Code runs in jails that stay warm from
    chunk to chunk.
    """
    jails = Jails()
    inside = replace(port, jails=jails)

    def graded(start: int, end: int) -> Answer:
        with translation.override(language):
            return told(start, grade(grader, samples[start:end], items[start:end], inside))

    place, size = 0, FIRST_OUTSIDE if asks_outside(grader) else FIRST
    thread = ThreadPoolExecutor(1)
    apart = sync_to_async(graded, thread_sensitive=False, executor=thread)  # what awaits something does so in our loop
    try:
        while place < len(samples):
            end, began = min(place + size, len(samples)), perf_counter()
            yield await asyncio.shield(apart(place, end))
            place, size = end, _next_size(size, perf_counter() - began)
    finally:
        thread.submit(jails.close)  # behind the chunk that may still be graded
        thread.shutdown(wait=False)


def _next_size(size: int, took_s: float) -> int:
    return min(LARGEST, 2 * size) if took_s < CHUNK_S else max(1, size // 2)
