"""Models and adapters taken along: as one tar that PEFT and transformers read, or file by file."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from contracts.event import Evaluation, Finished, Metrics, WorkerEvent
from graders import parse
from tests.whetstone.factories import EXACT, make_dataset, make_job, make_key, make_model, make_team, make_user
from tests.whetstone.serving import environment_of, manage, resident_mb, serving
from tests.whetstone.test_checkpoints import ADAPTER, MODEL, STATE, job_with
from tests.whetstone.test_claim_and_record import claimed, reports
from whetstone.artifacts.store import put_bytes
from whetstone.evaluators.save import save_evaluator
from whetstone.jobs.models import Job
from whetstone.jobs.record import record
from whetstone.modelhub.export import file_name
from whetstone.modelhub.models import Model
from whetstone.operations.archive import sha256_of

CONFIG = {"base_model_name_or_path": "/scratch/jobs/1/1/model", "peft_type": "LORA", "r": 4}
FILES = {
    "config.json": b'{"model_type": "qwen2"}',
    "model.safetensors": b"merged" * 1000,
    "tokenizer.json": b"{}",
    "adapter/adapter_config.json": json.dumps(CONFIG).encode(),
    "adapter/adapter_model.safetensors": b"a few weights",
}


def trained(files: dict[str, bytes] = FILES, **fields: Any) -> Model:
    """What a job leaves that was evaluated before and after."""
    job = make_job(suffix="sums", seed=41, **fields)
    claim = claimed()
    refs = tuple(put_bytes(make_team(), content).ref(path) for path, content in files.items())
    told: list[WorkerEvent] = [
        Evaluation(step=0, values={"reward_mean": 0.25}),
        Metrics(step=8, values={"reward": 1.0}),
        Evaluation(step=8, values={"reward_mean": 0.75}),
        Finished(step=8, files=refs, parameters=1_050_000, trained_tokens=1),
    ]
    record(job.id, claim.token, reports(*told))
    return Job.objects.select_related("trained").get(id=job.id).trained or pytest.fail("no model")


def get(address: str) -> Any:  # Any: Django's test client is typed as an HttpResponse, and this one streams
    return Client(headers={"authorization": f"Bearer {make_key()}"}).get(address)


def unpacked(address: str) -> dict[str, bytes]:
    answer = get(address)
    assert answer.status_code == 200, answer.content
    content = b"".join(answer)
    assert answer["Content-Length"] == str(len(content))
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        found = {member.name: archive.extractfile(member) for member in archive}
        return {name: file.read() for name, file in found.items() if file}


def check_sums(files: dict[str, bytes]) -> None:
    """As `sha256sum -c` does: every file is listed, and is what the list says."""
    listed = files["SHA256SUMS"].decode().splitlines()
    assert sorted(listed) == sorted(
        f"{hashlib.sha256(content).hexdigest()}  {name}" for name, content in files.items() if name != "SHA256SUMS"
    )


def test_a_model_is_exported_whole_and_without_its_adapter() -> None:
    found = unpacked(f"/api/v1/models/{trained().name}/export")
    assert set(found) == {"README.md", "SHA256SUMS", "config.json", "model.safetensors", "tokenizer.json"}
    assert {name: found[name] for name in FILES if "/" not in name} == {
        name: content for name, content in FILES.items() if "/" not in name
    }
    check_sums(found)


def test_an_adapter_is_exported_as_peft_reads_it_and_names_its_base() -> None:
    found = unpacked(f"/api/v1/models/{trained().name}/export?part=adapter")
    assert set(found) == {"README.md", "SHA256SUMS", "adapter_config.json", "adapter_model.safetensors"}
    assert json.loads(found["adapter_config.json"]) == CONFIG | {"base_model_name_or_path": "tiny"}
    check_sums(found)


def test_the_readme_says_where_the_model_comes_from() -> None:
    make_model()
    save_evaluator(make_user(), make_team(), "exact", parse(EXACT))
    make_dataset(name="held")
    model = trained(method={"type": "grpo", "grpo": {"evaluator": "exact"}}, validation_file="held")
    said = unpacked(f"/api/v1/models/{model.name}/export")["README.md"].decode()
    job = Job.objects.get()
    for line in (
        f"# {model.name}",
        "- Base model: tiny, whose weights were drawn under the seed",
        f"- Job: sums ({job.id})",
        "- Method: grpo",
        f"- Training data: sums@1 ({job.training_id})",
        f"- Held-out data: held@1 ({job.validation_id})",
        "- Evaluator: exact@1",
        "- Seed: 41",
        "- Held-out result: reward_mean 0.75, 0.25 before training",
        "- Parameters: 1050000",
    ):
        assert line in said.splitlines()


def test_the_same_model_is_the_same_archive() -> None:
    address = f"/api/v1/models/{trained().name}/export"
    assert b"".join(get(address)) == b"".join(get(address))


def test_a_model_without_an_adapter_says_so_and_offers_no_button() -> None:
    model = trained({"model.safetensors": b"all of it"})
    answer = get(f"/api/v1/models/{model.name}/export?part=adapter")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "adapter.not_found")
    assert "has no adapter" in answer.json()["error"]["message"]
    client = Client()
    client.force_login(make_user())
    page = client.get(reverse("model", args=[model.pk])).content.decode()
    assert "part=adapter" not in page
    assert f"{reverse('native:export_model', args=[model.name])}" in page


def test_a_page_downloads_with_its_session() -> None:
    client = Client()
    client.force_login(make_user())
    model = trained()
    page = client.get(reverse("model", args=[model.pk])).content.decode()
    address = f"{reverse('native:export_model', args=[model.name])}?part=adapter"
    assert address in page
    answer: Any = client.get(address)
    assert answer["Content-Type"] == "application/x-tar"
    assert answer["Content-Disposition"] == f'attachment; filename="{file_name(model.name, ".adapter.tar")}"'
    assert len(b"".join(answer)) == int(answer["Content-Length"])


def test_one_file_is_sent_as_it_is_stored() -> None:
    model = trained()
    for path, content in FILES.items():
        assert b"".join(get(f"/api/v1/models/{model.name}/files/{path}")) == content
    missing = get(f"/api/v1/models/{model.name}/files/optimizer.pt")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "file.not_found")


def test_nobody_takes_another_teams_model_along() -> None:
    model = trained()
    theirs = Client(headers={"authorization": f"Bearer {make_key(make_user('eve'))}"})
    for rest in ("", "/export", "/export?part=adapter", "/files/config.json"):
        answer = theirs.get(f"/api/v1/models/{model.name}{rest}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model.not_found")


def test_a_script_reads_what_a_model_is_and_which_files_it_has() -> None:
    model = trained()
    said = get(f"/api/v1/models/{model.name}").json()
    assert (said["name"], said["base"], said["job"]) == (model.name, "tiny", Job.objects.get().id)
    assert said["has_adapter"] is True
    assert {file["path"] for file in said["files"]} == set(FILES)


def test_a_file_that_the_store_lost_is_named_before_anything_is_sent() -> None:
    model = trained()
    weights = next(file for file in model.manifest if file.path == "model.safetensors")
    team = make_team().id
    default_storage.delete(f"{team}/{weights.sha256[:2]}/{weights.sha256}")
    answer = get(f"/api/v1/models/{model.name}/export")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "artifact.lost")
    assert "model.safetensors" in answer.json()["error"]["message"]


def test_the_adapter_of_a_checkpoint_is_taken_along_without_the_state_of_its_training() -> None:
    job, _ = job_with(*ADAPTER, "tokenizer.json", *STATE, "critic.safetensors", method="lora")
    found = unpacked(f"/api/v1/jobs/{job.id}/checkpoints/1/export")
    assert set(found) == {"README.md", "SHA256SUMS", *ADAPTER}
    assert json.loads(found["adapter_config.json"])["base_model_name_or_path"] == "tiny"
    assert "- Step: 1 of" in found["README.md"].decode()
    check_sums(found)


def test_a_whole_checkpoint_is_taken_along_as_a_model() -> None:
    job, _ = job_with(*MODEL, "model.safetensors", *STATE, "critic.safetensors")
    assert set(unpacked(f"/api/v1/jobs/{job.id}/checkpoints/2/export")) == {
        *MODEL,
        "model.safetensors",
        "README.md",
        "SHA256SUMS",
    }


def test_a_models_own_readme_is_kept() -> None:
    found = unpacked(f"/api/v1/models/{trained({'model.safetensors': b'w', 'README.md': b'mine'}).name}/export")
    assert found["README.md"] == b"mine"
    assert b"- Method: grpo" in found["README.whetstone.md"]
    check_sums(found)


def test_what_people_called_their_things_writes_no_lines_of_its_own() -> None:
    model = trained()
    Job.objects.update(suffix="sums\n- Method: magic")
    assert "- Method: magic" not in unpacked(f"/api/v1/models/{model.name}/export")["README.md"].decode().splitlines()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("ft:starter:ada::1a2b3c4d", "ft-starter-ada-1a2b3c4d"),
        ("Qwen/Qwen3-0.6B", "Qwen-Qwen3-0.6B"),
        ("../../etc/passwd", "etc-passwd"),
        ('a"b\\c*?<>|\x00\n', "a-b-c"),
        ("数学", "数学"),
        (":::", "model"),
        ("x" * 60 + ":" + "y" * 60, "x" * 40 + "-" + "y" * 39),
    ],
)
def test_names_are_safe_for_file_systems(name: str, safe: str) -> None:
    assert file_name(name, ".tar") == f"{safe}.tar"


PREPARE = """
import sys
from whetstone.accounts.models import ApiKey, User
from whetstone.accounts.scope import team_of
from whetstone.artifacts.store import put
from whetstone.modelhub.models import Model
user = User.objects.create_user("ada")
team = team_of(user)
with open({path!r}, "rb") as source:
    file = put(team, source).ref("model.safetensors").model_dump(mode="json")
Model.objects.create(team=team, name="large", origin="imported", files=[file], created_by=user)
print(ApiKey.make(user, team)[1])
"""


def test_a_model_of_200_megabytes_leaves_with_flat_memory(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.write_bytes(b"".join(bytes([n % 251]) * 1_000_000 for n in range(200)))
    environment = environment_of(tmp_path / "home")
    assert manage(environment, "migrate").returncode == 0
    made = manage(environment, "shell", "--no-imports", "--command", PREPARE.format(path=str(weights)))
    key = made.stdout.splitlines()[-1]
    bearer = {"Authorization": f"Bearer {key}"}
    received = tmp_path / "large.tar"
    with serving(environment) as (process, url), httpx.Client(base_url=url, headers=bearer, trust_env=False) as http:
        http.get("/api/v1/models/large")
        before, _ = resident_mb(process.pid)
        with http.stream("GET", "/api/v1/models/large/export", timeout=120) as answer, received.open("wb") as file:
            for chunk in answer.iter_bytes():
                file.write(chunk)
        _, peak = resident_mb(process.pid)
    with tarfile.open(received, "r:") as archive:
        content = archive.extractfile("model.safetensors")
        assert content is not None
        assert sha256_of(content) == sha256_of(weights.open("rb"))
    assert peak - before < 60, f"{before:.0f} MB before, {peak:.0f} MB at the peak"
