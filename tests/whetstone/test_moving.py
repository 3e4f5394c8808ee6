"""A platform moves from a laptop's SQLite to a server's PostgreSQL and back, and loses nothing on the way."""

import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.whetstone.serving import ROOT, environment_of, manage
from whetstone.operations.archive import ROWS

FILL = """
import django; django.setup()
from contracts.event import CheckpointSaved, Failed, Finished, LogLines, Metrics
from contracts.fault import FaultReport
from tests.whetstone.factories import make_dataset, make_job, make_key, make_worker
from tests.whetstone.test_claim_and_record import claimed, reports, stored
from whetstone.jobs.models import Job
from whetstone.jobs.record import ask, record
from whetstone.modelhub.models import Model

make_worker()
make_key()
make_dataset(name="größe 数据")
job = make_job(suffix="数据", metadata={"a": "😀"})
extremes = {"whole": 1.0, "small": 5e-324, "large": 1e22, "largest": 1.7976931348623157e308, "third": 1 / 3}
weights = stored("model.safetensors", b"weights")
died = Failed(fault=FaultReport(code="job.process_died", params={"how": "“signal 9”"}))
saved = CheckpointSaved(step=1, files=(weights,))
record(job.id, claimed().token, reports(Metrics(step=1, values=extremes), saved, died))
end = Finished(step=2, files=(weights,), parameters=2**53 + 1, trained_tokens=2**62)
record(job.id, claimed().token, reports(LogLines(text="größe\\n数据"), Metrics(step=2, values=extremes), end))
paused = make_job()
ask(paused.id, Job.Wish.PAUSE)
config = {"vocab_size": 2**53 + 1, "deep": [{"a": None}, True, ""]}
Model.objects.filter(name="tiny").update(origin="built_in", config=config)
"""
MORE = """
import django; django.setup()
from tests.whetstone.factories import make_dataset, make_job
from tests.whetstone.test_claim_and_record import claimed, metrics, reports
from whetstone.jobs.models import Job
from whetstone.jobs.record import record, resume

resume(Job.objects.get(status="paused").id)
claim = claimed()
record(claim.spec.job, claim.token, reports(*metrics(1, 2)))
make_dataset(name="after the move")
make_job()
"""


def run(code: str, environment: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)


def commands(environment: dict[str, str], *lines: tuple[str, ...]) -> None:
    for line in lines:
        done = manage(environment, *line)
        assert done.returncode == 0, done.stdout + done.stderr


def rows(backup: Path) -> dict[tuple[str, Any], Any]:
    """Every row by its table and key; the order of text keys is each database's own."""
    with tarfile.open(backup) as tar:
        file = tar.extractfile(ROWS)
        assert file
        return {(row["model"], row["pk"]): row["fields"] for row in map(orjson.loads, file)}


@pytest.mark.timeout(300)
def test_a_platform_moves_from_sqlite_to_postgresql_and_back(tmp_path: Path, postgres_url: str) -> None:
    laptop, back = environment_of(tmp_path / "laptop"), environment_of(tmp_path / "back")
    server = environment_of(tmp_path / "server", postgres_url)
    first, second, third = (str(tmp_path / f"{n}.tar") for n in (1, 2, 3))
    commands(laptop, ("migrate", "-v0"))
    run(FILL, laptop)
    commands(laptop, ("backup", first, "--with-artifacts"))
    commands(server, ("restore", first), ("doctor", "--deep"), ("backup", second, "--with-artifacts"))
    commands(back, ("restore", second), ("doctor", "--deep"), ("backup", third, "--with-artifacts"))
    assert len(rows(Path(first))) > 20
    assert rows(Path(second)) == rows(Path(first))
    assert rows(Path(third)) == rows(Path(first))
    for place in (server, back):
        run(MORE, place)
        commands(place, ("doctor", "--deep"))
