"""What the API's requests take: creating jobs at a steady rate, long lists, many events, many open streams.

One web process and two, on PostgreSQL where there is one, on SQLite otherwise; a pool with a worker that takes no job,
and a model with a config, so that each job is placed by what it needs. Creating is set beside a
bare django-ninja route of one insert, served by as many processes at the same rate in the same run; reading beside the
same route without an insert. Requests are counted for the rate limit, and never reach it. Creating is also told in the
web processes' CPU time, which depends least on what else the machine does.
What is aimed at on two cores: p99 of creating 100 jobs a second below 100 ms; 20 of 10,000 jobs below 30 ms; 1,000
events below 50 ms; 500 open streams of one process, each with an event's news within a second.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from pathlib import Path
from time import perf_counter, time
from urllib.parse import urlsplit

import httpx

from scripts import machine
from tests.whetstone.serving import ROOT, environment_of, manage, serving

RATE, SECONDS, ROUNDS, WARM_UP = 100, 5, 3, 60
CHUNKS, CHUNK = 6, 50
LIMITS = httpx.Limits(max_connections=16, keepalive_expiry=2)
"""Sixteen clients, who do not send over a connection that uvicorn is about to close (after 5 s)."""
NAMES = ("a job, created", "a bare insert")
Send = Callable[[], Awaitable[httpx.Response]]
JOBS, EVENTS, STREAMS = 10_000, 1_000, 500
SPREADS = ((10, 0.25, 20), (500, 2.5, 4))
"""Over how many jobs the streams are spread, seconds between two events of a job, and how many of them it tells."""
PREPARE = """
import django; django.setup()
from datetime import timedelta
from django.utils import timezone
from tests.whetstone.factories import make_dataset, make_key, make_model, make_worker
type(make_worker()).objects.update(seen_at=timezone.now() + timedelta(days=1))
model = make_model(name="tiny")
model.config = {
    "architectures": ["Qwen2ForCausalLM"], "hidden_size": 896, "intermediate_size": 4864, "num_attention_heads": 14,
    "num_hidden_layers": 24, "num_key_value_heads": 2, "vocab_size": 151936,
}
model.save()
print(model.name, make_dataset(name="sums").id, make_key())
"""
FILL = f"""
import django; django.setup()
from whetstone.jobs.models import Event, Job, new_job_id
first = Job.objects.order_by("created_at").first()
jobs = []
for _ in range({JOBS} - Job.objects.count()):
    first.pk = new_job_id()
    jobs.append(Job(**{{f.attname: getattr(first, f.attname) for f in Job._meta.concrete_fields}}))
Job.objects.bulk_create(jobs, batch_size=500)
last = Job.objects.order_by("-created_at").first()
from whetstone import clock
values = {{f"metric/{{n}}": n / 7 for n in range(12)}}
events = [Event(job=last, number=last.last_event + 1 + n, attempt=1, type="metrics", step=n, at=clock.now(),
          data={{"values": values}}) for n in range({EVENTS})]
Event.objects.bulk_create(events, batch_size=500)
Job.objects.filter(pk=last.pk).update(last_event=last.last_event + {EVENTS})
print(last.pk, *Job.objects.order_by("created_at").values_list("pk", flat=True)[:{STREAMS}])
"""
TELL = """
import sys, time, django; django.setup()
from django.db import transaction
from whetstone.jobs.models import Job
from whetstone.jobs.states import append
pause, news, *jobs = sys.argv[1:]
for n in range(int(news)):
    due = time.time() + float(pause)
    for pk in jobs:
        with transaction.atomic():
            append(Job.objects.select_for_update().get(pk=pk), "log", {"text": str(time.time())})
    time.sleep(max(0, due - time.time()))
"""


def main() -> None:
    server = machine.postgres()
    print("PostgreSQL" if server else "SQLite")
    program = machine.redis_server()
    with (
        tempfile.TemporaryDirectory() as home,
        machine.fresh_database(server) if server else nullcontext() as url,
        machine.fresh_redis(program, Path(home)) if program else nullcontext() as broker,
    ):
        environment = environment_of(Path(home), url) | {"WHETSTONE_RATE_LIMIT": "1000000"}
        environment |= {"WHETSTONE_BROKER_URL": broker} if broker else {}
        assert manage(environment, "migrate", "-v0").returncode == 0
        model, dataset, key = _script(environment, PREPARE)
        method = {"type": "grpo", "grpo": {"grader": {"type": "number", "reference": "{{ item.answer }}"}}}
        draft = {"model": model, "training_file": dataset, "method": method}
        headers = {"Authorization": f"Bearer {key}"}
        for processes in (1, 2):
            print(f"{processes} web process{'es' if processes > 1 else ''}")
            with (
                serving(environment, processes=processes) as (web, ours),
                serving(environment, "benchmarks._bare", processes) as (other, bare),
            ):
                pids = (web.pid, other.pid)
                asyncio.run(_creating(f"{ours}/v1/fine_tuning/jobs", headers, draft, f"{bare}/one", pids))
        job, *watched = _script(environment, FILL)
        with serving(environment) as (_, ours), serving(environment, "benchmarks._bare") as (_, bare):
            asyncio.run(_reading(ours, headers, job, f"{bare}/none"))
            for jobs, pause_s, news in SPREADS:
                asyncio.run(_streams(ours, key, watched[:jobs], pause_s, news, environment))


def _script(environment: dict[str, str], source: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()


async def _creating(url: str, headers: dict[str, str], draft: object, bare: str, pids: tuple[int, int]) -> None:
    async with httpx.AsyncClient(timeout=60, trust_env=False, limits=LIMITS) as http:

        async def ours() -> httpx.Response:
            return await http.post(url, json=draft, headers=headers)

        async def theirs() -> httpx.Response:
            return await http.post(bare, json={"name": "bare"})

        for _ in range(WARM_UP):  # the first requests of a process load libraries
            (await ours()).raise_for_status()
        await _alone(ours, theirs, pids)
        pairs = [(await _steadily(ours), await _steadily(theirs)) for _ in range(ROUNDS)]
    ratio = statistics.median(statistics.median(ours) / statistics.median(theirs) for ours, theirs in pairs)
    for name, column in zip(NAMES, zip(*pairs, strict=True), strict=True):
        times = sorted(each for one in column for each in one)
        p50, p99 = times[len(times) // 2], times[int(0.99 * len(times))]
        print(f"{name:<18}{RATE} a second: median {1000 * p50:6.1f} ms, p99 {1000 * p99:6.1f} ms")
    print(f"the ratio of the medians: {ratio:.1f}")


async def _alone(ours: Send, theirs: Send, pids: tuple[int, int]) -> None:
    """One after the other, from one client."""
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(CHUNKS):
        for send, pid, chunk in zip((ours, theirs), pids, spent, strict=True):
            before = _cpu_s(pid)
            for _ in range(CHUNK):
                (await send()).raise_for_status()
            chunk.append(1000 * (_cpu_s(pid) - before) / CHUNK)
    for name, chunk in zip(NAMES, spent, strict=True):
        said = f"{statistics.median(chunk):.1f} ms ({min(chunk):.1f} to {max(chunk):.1f})"
        print(f"{name:<18}one client: {said} of the web processes' CPU time for each")


def _cpu_s(pid: int) -> float:
    """Of a process and its children, in user and kernel mode."""
    pids = [pid]
    for one in pids:
        pids += map(int, Path(f"/proc/{one}/task/{one}/children").read_text().split())
    fields = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in pids]
    return sum(int(one[11]) + int(one[12]) for one in fields) / os.sysconf("SC_CLK_TCK")


async def _steadily(send: Send) -> list[float]:
    """Seconds from the moment at which each request was due, so that one that had to wait counts its waiting."""
    start = perf_counter()

    async def one(n: int) -> float:
        due = start + n / RATE
        await asyncio.sleep(max(0.0, due - perf_counter()))
        (await send()).raise_for_status()
        return perf_counter() - due

    return await asyncio.gather(*(one(n) for n in range(RATE * SECONDS)))


async def _reading(url: str, headers: dict[str, str], job: str, bare: str) -> None:
    reads = {
        f"20 of {JOBS:,} jobs": f"{url}/v1/fine_tuning/jobs?limit=20",
        f"{EVENTS:,} events": f"{url}/v1/fine_tuning/jobs/{job}/events?limit={EVENTS}",
    }
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        for name, address in reads.items():
            pairs = [(await _read(http, address, headers), await _read(http, bare, {})) for _ in range(30)]
            ours = statistics.median(one for one, _ in pairs)
            ratio = statistics.median(one / other for one, other in pairs)
            print(f"{name:<18}{1000 * ours:6.1f} ms, {ratio:.1f} times a bare answer")


async def _read(http: httpx.AsyncClient, url: str, headers: dict[str, str]) -> float:
    start = perf_counter()
    (await http.get(url, headers=headers)).raise_for_status()
    return perf_counter() - start


async def _streams(url: str, key: str, jobs: list[str], pause_s: float, news: int, environment: dict[str, str]) -> None:
    delays: list[float] = []
    opened, began = asyncio.Semaphore(0), time()

    def note(told_at: float) -> None:
        if told_at >= began:  # a stream begins with what its job told before
            delays.append(time() - told_at)

    viewers = [asyncio.create_task(_watch(url, key, jobs[n % len(jobs)], opened, note)) for n in range(STREAMS)]
    for _ in viewers:
        await opened.acquire()
    command = [sys.executable, "-c", TELL, str(pause_s), str(news), *jobs]
    teller = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment)
    await teller.wait()
    await asyncio.sleep(5)
    for viewer in viewers:
        viewer.cancel()
    await asyncio.gather(*viewers, return_exceptions=True)
    delays.sort()
    print(f"{STREAMS} open streams of {len(jobs)} jobs: {len(delays):,} of {news * STREAMS:,} told; ", end="")
    print(f"delay median {1000 * delays[len(delays) // 2]:.0f} ms, most {1000 * delays[-1]:.0f} ms")


async def _watch(url: str, key: str, job: str, opened: asyncio.Semaphore, note: Callable[[float], None]) -> None:
    """A viewer that costs little, for it shares the cores with what it measures: lines as they come off the socket."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    asked = f"GET /api/v1/jobs/{job}/live HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {key}\r\n\r\n"
    writer.write(asked.encode())
    assert b" 200 " in await reader.readline()
    opened.release()
    async for line in reader:
        event = json.loads(line.removeprefix(b"data: ")) if line.startswith(b"data: {") else {}
        if event.get("type") == "log":
            note(float(event["text"]))


if __name__ == "__main__":
    main()
