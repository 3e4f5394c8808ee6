"""The wake-up that travels through the broker: a hint, never the truth."""

from contracts import Contract

WAKE_TASK = "whetstone.wake"


class WakeUp(Contract):
    """“There is work”: the worker then asks the platform for it over HTTP."""

    job: str


def queue_of(pool: str) -> str:
    """Name of the broker's queue on which the workers of a pool listen."""
    return f"pool.{pool}"
