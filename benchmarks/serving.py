"""What the platform costs an answer, beside its own engine called directly in the same run.

A platform of its own and a model of the starter's architecture. The first token and each further one, one request at a
time, in turn with the bare engine; 16 at once against one after the other; 1,000 at once, twice, and what they leave in
memory.
"""

import asyncio
import os
import statistics
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from contracts.completion import Ask, Delta, Refusal, Said, Sampling, Taken
from tests.end_to_end.laptop import PREPARE, Laptop, created, until, up, upload
from tests.whetstone.serving import resident_mb
from trainer_worker.launching import LAUNCHER_ENVIRONMENT
from trainer_worker.serve import FOR_US_ALONE

PAIRS, ANSWER = 15, 128
AT_ONCE, ROUNDS = 16, 5
CROWD = 1000
ROWS = [
    {"messages": [{"role": "user", "content": f"{n}+{n}"}, {"role": "assistant", "content": str(2 * n)}]}
    for n in range(32)
]
NO_END = {"257": -100}
"""So that every answer has the same length: the model's own end is never chosen."""


def main() -> None:
    os.environ["WHETSTONE_RATE_LIMIT"] = "0"
    for name, value in LAUNCHER_ENVIRONMENT.items():  # the engine here runs as the host's does
        if name not in FOR_US_ALONE:
            os.environ.setdefault(name, value)
    with tempfile.TemporaryDirectory() as home, up(Path(home)) as laptop:
        laptop.manage("shell", "--no-imports", "--command", PREPARE)
        with laptop.api() as api:
            model = _trained(api)
            folder = _files(api, model, Path(home) / "direct")
            one = api.post("/api/v1/deployments", json={"model": model, "name": "bench", "idle_minutes": None}).json()
            while api.get(f"/api/v1/deployments/{one['id']}").json()["status"] != "ready":
                time.sleep(0.1)
            _one_by_one(api, folder)
            key = api.headers["Authorization"]
        asyncio.run(_together(laptop.url, key))
        asyncio.run(_crowd(laptop, key))


def _trained(api: httpx.Client) -> str:
    method = {"type": "full", "full": {"hyperparameters": {"max_steps": 4, "batch_size": 8}}}
    file = upload(api, "sums.jsonl", ROWS)["id"]
    job = created(api, {"model": "starter-blank", "training_file": file, "method": method, "seed": 1})
    return str(until(api, job["id"])["fine_tuned_model"])


def _files(api: httpx.Client, model: str, folder: Path) -> Path:
    folder.mkdir()
    for file in api.get(f"/api/v1/models/{model}").json()["files"]:
        content = api.get(f"/api/v1/models/{model}/files/{file['path']}").content
        (folder / file["path"]).write_bytes(content)
    return folder


class Direct:
    """The engine in this process."""

    def __init__(self, folder: Path) -> None:
        from trainer_worker.engine.own import Loaded, OwnEngine

        self._times: list[float] = []
        self._ended = threading.Event()
        self.engine = OwnEngine("bench", Loaded.from_folder(folder), self._hear, 1 << 30)

    def _hear(self, to: str, said: Said) -> None:
        if isinstance(said, Taken):
            return
        self._times.append(time.perf_counter())
        if isinstance(said, Refusal) or (isinstance(said, Delta) and said.finish):
            self._ended.set()

    def ask(self, n: int) -> tuple[float, float]:
        """Milliseconds to the first token, and between two."""
        self._times.clear()
        self._ended.clear()
        sampling = Sampling.model_validate({"max_tokens": ANSWER, "seed": n, "logit_bias": NO_END, "alternatives": 0})
        began = time.perf_counter()
        self.engine.ask(Ask(id=str(n), deployment="d", reply_to="w", text=_prompt(n), sampling=sampling))
        assert self._ended.wait(60)
        return _rhythm(began, self._times)


def _prompt(n: int) -> str:
    return f"{n}. What is {n} and {n}, and what is it together with all that came before? Say it step by step."


def _body(n: int, tokens: int = ANSWER) -> dict[str, Any]:
    about = {"model": "bench", "prompt": _prompt(n), "max_tokens": tokens, "seed": n, "logit_bias": NO_END}
    return about | {"stream": True, "logprobs": 0}  # so that a token which shows no text is told at once, too


def _rhythm(began: float, times: list[float]) -> tuple[float, float]:
    return 1000 * (times[0] - began), 1000 * (times[-1] - times[0]) / (ANSWER - 1)


def _through(api: httpx.Client, n: int) -> tuple[float, float]:
    times: list[float] = []
    began = time.perf_counter()
    with api.stream("POST", "/v1/completions", json=_body(n)) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: {"):
                times.append(time.perf_counter())
    return _rhythm(began, times)


def _one_by_one(api: httpx.Client, folder: Path) -> None:
    direct = Direct(folder)
    for n in range(3):  # the first requests of a process load libraries
        direct.ask(n), _through(api, n)
    pairs = []
    for n in range(PAIRS):
        bare_first = n % 2 == 0
        bare = direct.ask(n) if bare_first else None
        through = _through(api, n)
        pairs.append((bare or direct.ask(n), through))
    direct.engine.close()
    for place, name in enumerate(("first token", "each further token")):
        alone, all_the_way = ([one[side][place] for one in pairs] for side in (0, 1))
        added = statistics.median(b[place] - a[place] for a, b in pairs)
        print(
            f"{name:<20} engine {statistics.median(alone):6.2f} ms, platform {statistics.median(all_the_way):6.2f} ms "
            f"(slowest {max(all_the_way):.1f}), the platform adds {added:.2f} ms (median of {PAIRS} pairs)"
        )


async def _together(url: str, key: str) -> None:
    ratios = []
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(
        base_url=url, headers={"Authorization": key}, timeout=120, trust_env=False, limits=limits
    ) as http:
        for number in range(ROUNDS):
            began = time.perf_counter()
            for n in range(AT_ONCE):
                await _told(http, _body(100 * number + n, 64))
            alone = time.perf_counter() - began
            began = time.perf_counter()
            await asyncio.gather(*(_told(http, _body(100 * number + n, 64)) for n in range(AT_ONCE)))
            together = time.perf_counter() - began
            ratios.append(alone / together)
    print(
        f"{AT_ONCE} requests of 64 tokens, together against one after the other: {statistics.median(ratios):.1f} times "
        f"as many tokens a second ({min(ratios):.1f} to {max(ratios):.1f})"
    )


async def _told(http: httpx.AsyncClient, body: dict[str, Any]) -> str:
    try:
        answer = await http.post("/v1/completions", json=body)
    except httpx.TransportError as error:
        return type(error).__name__
    if answer.is_error:
        retry = answer.headers.get("retry-after")
        return f"{answer.status_code} {answer.json()['error']['code']} retry-after {retry}"
    return "answered" if answer.text.rstrip().endswith("[DONE]") else "broken off"


async def _crowd(laptop: Laptop, key: str) -> None:
    pids = {"web": laptop.processes("uvicorn")[0], "engine": laptop.processes("trainer_worker.serve")[0]}
    print("memory before:", _memory(pids))
    async with httpx.AsyncClient(
        base_url=laptop.url,
        headers={"Authorization": key},
        timeout=httpx.Timeout(300, pool=None),
        trust_env=False,
        limits=httpx.Limits(max_connections=None),
    ) as http:
        for _ in range(3):
            began = time.perf_counter()
            ends = await asyncio.gather(*(_told(http, _body(n, 16)) for n in range(CROWD)))
            seconds = time.perf_counter() - began
            told = ", ".join(f"{count} {end}" for end, count in Counter(ends).most_common())
            print(f"{CROWD:,} at once: {told}; all ended after {seconds:.1f} s; memory {_memory(pids)}")


def _memory(pids: dict[str, int]) -> str:
    return ", ".join(f"{name} {resident_mb(pid)[0]:.0f} MB" for name, pid in pids.items())


if __name__ == "__main__":
    main()
