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
    is_here: bool = False
    """A model of this platform. Its `base_url` is empty: whoever asks knows where the platform is."""

    def at(self, platform: str) -> "Judge":
        """As it is reached by somebody who reaches the platform at this address."""
        return self.model_copy(update={"base_url": f"{platform.rstrip('/')}/v1"}) if self.is_here else self


class Reach(Contract):
    """Answered to the attempt that holds the job, and to nobody else."""

    judges: tuple[Judge, ...] = ()
    secrets: dict[str, str] = Field(default_factory=dict, repr=False)
    """What headers of web services refer to, by name."""
    private_hosts: str = ""
    """Hosts inside that the platform's operator allows, as WHETSTONE_PRIVATE_HOSTS lists them."""
