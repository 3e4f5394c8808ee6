"""What the operator decides, read from the environment and checked once at the start."""

import secrets
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from graders.http.guard import Allowed


class Environment(BaseSettings):
    """One field a setting: `lease_s` is `WHETSTONE_LEASE_S`."""

    model_config = SettingsConfigDict(env_prefix="WHETSTONE_", extra="ignore", frozen=True)

    home: Path = Field(default_factory=lambda: Path.cwd() / ".whetstone")
    """Where a laptop's platform lives: database, broker, artifacts, secrets."""
    database_url: str | None = Field(None, validation_alias="DATABASE_URL")
    """postgresql://user:password@host/name. Without it: SQLite in the home."""
    broker_url: str | None = None
    """redis://:password@host:6379/0. Without it: SQLite in the home."""
    artifacts: str | None = None
    """A folder, or s3://bucket/prefix. Without it: a folder in the home."""
    s3_endpoint_url: str | None = None
    """For S3 stores that are not Amazon's."""
    public_url: str = "http://127.0.0.1:8000"
    """The address under which browsers reach the platform."""
    internal_url: str | None = None
    """The address under which the platform's own processes reach its web. Without it: the public one."""
    allowed_hosts: str = ""
    """Further host names, separated by commas."""
    secret_key: str | None = None
    worker_token: str | None = None
    """What a worker must show to join. Without it: made once and kept in the home."""
    debug: bool = False
    log: Literal["text", "json"] = "text"
    """Lines for people, or one JSON object a line for machines."""
    max_upload_mb: int = Field(1024, ge=1)
    max_parts_mb: int = Field(8192, ge=1)
    """The largest file that comes in parts, through /v1/uploads."""
    rate_limit: int = Field(1200, ge=0)
    """How many requests each API key may send a minute; 0: as many as it likes."""
    lease_s: float = Field(300, gt=0)
    """How long a job may go without a report before it is given to another worker."""
    attempts: int = Field(20, ge=1)
    """How many attempts may fail for the same cause. Three alike at the same step are always enough."""
    keep_checkpoints: int = Field(3, ge=1)
    """How many checkpoints each job keeps: its newest."""
    min_free_gb: float = Field(2, ge=0)
    """With less free disk nothing new is taken in: no uploads, no claims. Jobs that run go on."""
    web_drain_s: float = Field(30, ge=0)
    """How long a web process that is told to stop waits for the answers that it is giving."""
    keep_days: int = Field(90, ge=1)
    """How long rollouts and logs are kept after their job has ended."""

    pool_prices: dict[str, Annotated[float, Field(ge=0)]] = {}
    """What an hour of one machine costs, by pool, as JSON: {"a10g": 1.2}. Pools without a price show no cost."""
    currency: str = Field("USD", min_length=1, max_length=8)
    """In what prices are told."""

    private_hosts: str = ""
    """Hosts inside the own network that judges and web services may stand on, separated by commas."""

    hf_endpoint: str = Field("https://huggingface.co", validation_alias="HF_ENDPOINT")
    """Where models are imported from by name: Hugging Face's hub, or a mirror of it inside the own network."""
    model_folders: str = ""
    """Folders on the server that models may be taken from, separated by colons. Empty: none."""

    @field_validator("model_folders")
    @classmethod
    def are_absolute(cls, folders: str) -> str:
        if any(not Path(one).is_absolute() for one in folders.split(":") if one):
            raise ValueError("the folders must be absolute paths")
        return folders

    @field_validator("private_hosts")
    @classmethod
    def can_be_read(cls, hosts: str) -> str:
        Allowed.read(hosts)
        return hosts

    @field_validator("home")
    @classmethod
    def fits_into_an_address(cls, home: Path) -> Path:
        if set("?#%") & set(str(home.expanduser().resolve())):
            raise ValueError("the folder's path must not hold ?, # or %")
        return home

    @property
    def model_roots(self) -> tuple[Path, ...]:
        return tuple(Path(one).resolve() for one in self.model_folders.split(":") if one)

    @property
    def own_url(self) -> str:
        return (self.internal_url or self.public_url).rstrip("/")

    @cached_property
    def broker(self) -> str:
        return self.broker_url or f"sqla+sqlite:///{self.home / 'broker.sqlite3'}"

    @cached_property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'platform.sqlite3'}"

    def secret(self, name: str, given: str | None) -> str:
        """The given secret, or one that is drawn once and kept in the home, readable by its owner alone."""
        if given:
            return given
        path = self.home / name
        if not path.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f"{name}.{secrets.token_hex(4)}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(48))
            try:
                path.hardlink_to(draft)
            except FileExistsError:
                pass  # another process of this platform was faster: its secret counts
            draft.unlink()
        return path.read_text()


def read_environment() -> Environment:
    """Raises SystemExit with one sentence a setting when something in the environment cannot be used."""
    try:
        found = Environment()
    except ValidationError as error:
        raise SystemExit("\n".join(_sentence(e["loc"], e["msg"]) for e in error.errors())) from None
    return found.model_copy(update={"home": found.home.expanduser().resolve()})


def _sentence(place: tuple[int | str, ...], message: str) -> str:
    name = str(place[0])
    return f"{name if name.isupper() else 'WHETSTONE_' + name.upper()}: {message}"
