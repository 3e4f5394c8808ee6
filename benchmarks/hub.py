"""The model hub with 1,000 models: its page, a search in it, and the lists of the API, beside the page of an empty hub.

On PostgreSQL where there is one, else on SQLite; each model has a config and a manifest of a real one's size. Aimed
at: each answer below 100 ms.
"""

import statistics
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from time import perf_counter

import httpx

from scripts import machine
from tests.whetstone.serving import ROOT, environment_of, manage, serving

MODELS, ROUNDS = 1000, 30
PREPARE = """
import django; django.setup()
from django.test import Client
from tests.whetstone.factories import make_key, make_user
person = Client(); person.force_login(make_user("empty"))
other = Client(); other.force_login(make_user())
print(person.cookies["sessionid"].value, other.cookies["sessionid"].value, make_key())
"""
FILL = f"""
import django; django.setup()
from tests.whetstone.factories import make_team, make_user
from whetstone.modelhub.models import Model
config = {{"architectures": ["Qwen3ForCausalLM"], "layer_types": ["full_attention"] * 64}}
files = [{{"path": f"model-{{n:05}}-of-00030.safetensors", "sha256": "0" * 64, "size": 10**9}} for n in range(30)]
for n in range({MODELS}):
    Model.objects.create(
        team=make_team(), name=f"org/model-{{n}}", created_by=make_user(), origin="imported", parameters=n * 10**7,
        context_length=32768, config=config, files=files, license="apache-2.0", source=f"hf:org/model-{{n}}@main",
    )
"""


def main() -> None:
    server = machine.postgres()
    print("PostgreSQL" if server else "SQLite")
    with (
        tempfile.TemporaryDirectory() as home,
        machine.fresh_database(server) if server else nullcontext() as url,
    ):
        environment = environment_of(Path(home), url) | {"WHETSTONE_RATE_LIMIT": "1000000"}
        assert manage(environment, "migrate", "-v0").returncode == 0
        empty, full, key = _script(environment, PREPARE)
        _script(environment, FILL)
        with serving(environment) as (_, ours), httpx.Client(base_url=ours, timeout=60, trust_env=False) as http:
            _measure(http, empty, full, key)


def _measure(http: httpx.Client, empty: str, full: str, key: str) -> None:
    reads = {
        "the hub's page": ("/models", {"cookie": f"sessionid={full}"}),
        "a search in it": ("/models?q=model-77", {"cookie": f"sessionid={full}"}),
        "its last page": ("/models?page=42", {"cookie": f"sessionid={full}"}),
        "/v1/models": ("/v1/models", {"authorization": f"Bearer {key}"}),
    }
    bare = ("/models", {"cookie": f"sessionid={empty}"})
    for name, (address, headers) in reads.items():
        pairs = [(_read(http, address, headers), _read(http, *bare)) for _ in range(ROUNDS)]
        ours = statistics.median(one for one, _ in pairs)
        ratio = statistics.median(one / other for one, other in pairs)
        print(f"{name:<16}{1000 * ours:6.1f} ms, {ratio:.1f} times the page of an empty hub", flush=True)


def _script(environment: dict[str, str], source: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split() if done.stdout else []


def _read(http: httpx.Client, url: str, headers: dict[str, str]) -> float:
    start = perf_counter()
    http.get(url, headers=headers).raise_for_status()
    return perf_counter() - start


if __name__ == "__main__":
    main()
