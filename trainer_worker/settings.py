"""What a worker is told by its environment, checked when it starts."""

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from contracts.event import Hello


@dataclass(frozen=True)
class Settings:
    url: str
    """Where the platform answers, without a slash at the end."""
    token: str
    """The join token, a secret that all workers share."""
    broker_url: str
    name: str
    pool: str
    scratch: Path
    """Work and cache live here; anything in it may be deleted while no worker runs."""
    cache_gb: float
    idle_poll_s: float
    """How often an idle worker asks for work without having been woken."""
    drain_s: float = 120.0
    """How long a training may take to finish its step and save, when the worker is told to stop."""
    hang_s: float = 600.0
    """A step that takes longer than this and `hang_factor` times the usual is taken to hang."""
    hang_factor: float = 20.0
    log: Literal["text", "json"] = "text"
    """Lines for people, or one JSON object a line for machines."""
    engine: Literal["auto", "own", "vllm"] = "auto"
    """What writes on a host of engines. auto: vLLM where it is installed beside a GPU."""
    vllm_arguments: str = ""
    """Added to `vllm serve`, like `--gpu-memory-utilization 0.8 --max-model-len 8192`."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ, *, needs_broker: bool = True) -> "Settings":
        """Raises SystemExit with a sentence when something is missing or wrong. A host of engines needs no broker."""
        pool = environment.get("WHETSTONE_POOL", "cpu")
        _check_pool(pool)
        return cls(
            url=_url(_required(environment, "WHETSTONE_URL", "the platform's address, like http://127.0.0.1:8000")),
            token=_required(environment, "WHETSTONE_WORKER_TOKEN", "the join token that the platform shows"),
            broker_url=_required(environment, "WHETSTONE_BROKER_URL", "the broker's address, like redis://host/0")
            if needs_broker
            else "",
            name=environment.get("WHETSTONE_WORKER_NAME") or f"{socket.gethostname()}-{pool}",
            pool=pool,
            scratch=Path(_required(environment, "WHETSTONE_SCRATCH", "a folder for work and cache")).absolute(),
            cache_gb=_number(environment, "WHETSTONE_CACHE_GB", 50.0),
            idle_poll_s=_number(environment, "WHETSTONE_IDLE_POLL_S", 4.0),
            drain_s=_number(environment, "WHETSTONE_DRAIN_S", 120.0),
            hang_s=_number(environment, "WHETSTONE_HANG_S", 600.0),
            hang_factor=_number(environment, "WHETSTONE_HANG_FACTOR", 20.0),
            log=_form(environment.get("WHETSTONE_LOG", "text")),
            engine=_engine(environment.get("WHETSTONE_ENGINE", "auto")),
            vllm_arguments=environment.get("WHETSTONE_VLLM_ARGUMENTS", ""),
        )


def _required(environment: Mapping[str, str], name: str, meaning: str) -> str:
    if value := environment.get(name):
        return value
    raise SystemExit(f"{name} is not set. Set it to {meaning}.")


def _url(value: str) -> str:
    if value.startswith(("http://", "https://")):
        return value.rstrip("/")
    raise SystemExit(f"WHETSTONE_URL must begin with http:// or https://, and is “{value}”.")


def _check_pool(pool: str) -> None:
    longest = next(m.max_length for m in Hello.model_fields["pool"].metadata if hasattr(m, "max_length"))
    if not re.fullmatch(r"[A-Za-z0-9._-]+", pool) or len(pool) > longest:
        raise SystemExit(f"WHETSTONE_POOL must be letters, digits, dots and dashes, and is “{pool}”.")


def _form(value: str) -> Literal["text", "json"]:
    match value:
        case "text" | "json":
            return value
    raise SystemExit(f"WHETSTONE_LOG must be text or json, and is “{value}”.")


def _engine(value: str) -> Literal["auto", "own", "vllm"]:
    match value:
        case "auto" | "own" | "vllm":
            return value
    raise SystemExit(f"WHETSTONE_ENGINE must be auto, own or vllm, and is “{value}”.")


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise SystemExit(f"{name} must be a number above 0, and is “{text}”.")
    return value
