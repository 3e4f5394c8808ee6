"""What a job's graders may reach over HTTP, and with which keys. Held in memory, never written down."""

from pydantic import Field

from contracts import Contract


class Judge(Contract):
    """A server that speaks OpenAI's API."""

    name: str
    base_url: str
    model: str
    key: str = Field("", repr=False)
    at_once: int = 8
    max_rps: float | None = None
    prompt_price: float = 0.0
    """Of a million tokens."""
    completion_price: float = 0.0


class Reach(Contract):
    """Answered to the attempt that holds the job, and to nobody else."""

    judges: tuple[Judge, ...] = ()
    secrets: dict[str, str] = Field(default_factory=dict, repr=False)
    """What headers of web services refer to, by name."""
    private_hosts: str = ""
    """Hosts inside that the platform's operator allows, as WHETSTONE_PRIVATE_HOSTS lists them."""
