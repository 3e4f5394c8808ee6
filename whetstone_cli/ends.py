"""How a command ends: its exit code, and what it says on the way out."""

from enum import IntEnum


class Exit(IntEnum):
    DONE = 0
    REFUSED = 1
    """The platform refused, a file is wrong, or a gate failed."""
    JOB_FAILED = 2
    """The job failed or was cancelled."""
    UNKNOWN = 3
    """Could not tell: the platform was not reached, or the job has not got that far."""
    USAGE = 64
    """The command line is wrong."""
    INTERRUPTED = 130


class Ended(Exception):
    """A command that ends early, with a sentence for stderr and, where there is one, the next step."""

    def __init__(self, code: Exit, sentence: str = "", next_step: str = "", reason: str = "") -> None:
        """`reason`: the API's code for it, like `dataset.not_found`."""
        super().__init__(sentence)
        self.code, self.sentence, self.next_step, self.reason = code, sentence, next_step, reason


def refuse(sentence: str, next_step: str = "") -> Ended:
    return Ended(Exit.REFUSED, sentence, next_step)
