"""Models come into the hub: from a hub on loopback, from a folder, in parts; looked at, refused, gone on with."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from contracts.fault import Fault
from tests.whetstone.factories import make_team, make_user
from tests.whetstone.hub import COMMIT, ModelHub
from tests.whetstone.imports import carried, code, fetched, hub, imported, model_of, now, roots
from tests.whetstone.model_files import CONFIG, make_adapter, make_folder, make_shards, weights
from whetstone.artifacts.models import Blob
from whetstone.artifacts.store import find, is_whole
from whetstone.evaluators.models import Secret
from whetstone.jobs.retention import sweep
from whetstone.modelhub import carry
from whetstone.modelhub.begin import again, cancel, forget_imports, from_folder, from_hub, from_upload, send, work_of
from whetstone.modelhub.hold import LEASE, Hold, Lost, claim
from whetstone.modelhub.models import Import, Model
from whetstone.modelhub.sources import Listed
from whetstone.modelhub.sources.folder import allowed

__all__ = ["hub", "roots"]


def test_a_model_of_a_hub_comes_in_at_the_commit_that_its_revision_was(hub: ModelHub) -> None:
    (hub.folder / "modeling_tiny.py").write_text("print('never run')")
    (hub.folder / "pytorch_model.bin").write_bytes(b"a pickle")
    one = fetched()
    assert (one.state, one.commit) == ("succeeded", COMMIT)
    model = model_of(one)
    assert (model.name, model.source) == ("org/tiny", f"hf:org/tiny@{COMMIT}")
    assert model.left_out == ["modeling_tiny.py", "pytorch_model.bin"]
    assert {file.path for file in model.manifest} == {
        *("README.md", "config.json", "generation_config.json", "model.safetensors"),
        *("tokenizer.json", "tokenizer_config.json"),
    }
    assert model.parameters == sum(value.size for value in weights().values())
    assert (model.license, model.dtype, model.context_length) == ("apache-2.0", "float32", 2048)
    assert all(f"/resolve/{COMMIT}/" in path for path, _ in hub.asked[1:])
    assert not work_of(one).exists()


def test_shards_with_their_index_are_one_model(roots: Path) -> None:
    model = model_of(imported(make_shards(roots / "two")))
    assert model.parameters == sum(value.size for value in weights().values())


def test_a_download_that_breaks_off_goes_on_where_it_was(hub: ModelHub) -> None:
    hub.torn_after = 5000
    one = fetched()
    assert (one.state, code(one)) == ("queued", "hub.unreachable")
    assert one.due_at > timezone.now()
    Import.objects.update(due_at=timezone.now())
    assert carried(one).state == "succeeded"
    assert [span for _, span in hub.asked if span] == ["bytes=5000-"]


def test_an_import_whose_process_was_killed_goes_on_with_what_is_not_stored(hub: ModelHub) -> None:
    one = from_hub(make_user(), make_team(), "org/tiny")
    held = claim()
    assert held is not None
    with pytest.raises(KeyboardInterrupt):
        carry._carry_out(held, DiesAfter(held, words=3))
    stored = set(one.files.exclude(sha256="").values_list("path", flat=True))
    assert 0 < len(stored) < one.files.count()
    assert claim() is None, "its lease has not run out"
    Import.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    before = len(hub.asked)
    assert carried(one).state == "succeeded"
    asked_again = {path.rpartition("/")[2] for path, _ in hub.asked[before:]}
    assert asked_again.isdisjoint(stored)


class DiesAfter(Hold):
    """A process that is killed at its n-th word."""

    def __init__(self, one: Import, words: int) -> None:
        super().__init__(one)
        self._words = words

    def tell(self, **fields: object) -> None:
        super().tell(**fields)
        self._words -= 1
        if not self._words:
            raise KeyboardInterrupt


def test_one_who_lost_the_import_changes_nothing(hub: ModelHub) -> None:
    one = from_hub(make_user(), make_team(), "org/tiny")
    late = claim()
    Import.objects.update(lease_until=timezone.now() - LEASE)
    held = claim()
    assert late is not None
    assert held is not None
    with pytest.raises(Lost):
        carry._carry_out(late, Hold(late))
    assert not Model.objects.exists()
    carry._carry_out(held, Hold(held))
    assert now(one).state == "succeeded"


def test_an_import_that_is_called_off_stops(hub: ModelHub) -> None:
    one = from_hub(make_user(), make_team(), "org/tiny")
    held = claim()
    assert held is not None
    cancel(one)
    with pytest.raises(Lost):
        carry._carry_out(held, Hold(held))
    assert (now(one).state, Model.objects.count()) == ("cancelled", 0)


def test_what_kills_its_process_every_time_is_given_up(hub: ModelHub) -> None:
    one = from_hub(make_user(), make_team(), "org/tiny")
    for _ in range(carry.MOST_FAILURES):
        assert claim() is not None
        Import.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert code(carried(one)) == "import.gave_up"
    again(now(one))
    assert carried(one).state == "succeeded"


@pytest.mark.parametrize(
    ("about", "state", "fault"),
    [
        ({"token": "secret"}, "failed", "hub.no_model"),
        ({"status": 404, "error_code": "RepoNotFound"}, "failed", "hub.no_model"),
        ({"status": 403, "error_code": "GatedRepo"}, "failed", "hub.gated"),
        ({"status": 429}, "queued", "hub.rate_limited"),
        ({"status": 503}, "queued", "hub.unreachable"),
    ],
)
def test_what_a_hub_refuses_is_said_in_its_own_sentence(
    hub: ModelHub, about: dict[str, Any], state: str, fault: str
) -> None:
    for name, value in about.items():
        setattr(hub, name, value)
    one = fetched()
    assert (one.state, code(one)) == (state, fault)


def test_a_revision_that_is_not_there_is_named(hub: ModelHub) -> None:
    assert code(fetched(revision="v9")) == "hub.no_revision"


def test_a_hub_that_is_away_is_asked_again_later(settings: Settings) -> None:
    nobody = {"hf_endpoint": "http://127.0.0.1:9", "min_free_gb": 0}
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=nobody)
    one = fetched()
    assert (one.state, code(one)) == ("queued", "hub.unreachable")


def test_a_team_s_token_opens_what_is_private_and_a_wrong_one_is_named(hub: ModelHub) -> None:
    hub.token = "hf_right"
    right = Secret.make(make_user(), make_team(), "HF", "hf_right")
    wrong = Secret.make(make_user(), make_team(), "OLD", "hf_wrong")
    refused = fetched(token=wrong, name="second")
    assert code(refused) == "hub.token_refused"
    assert refused.fault_report is not None
    assert "hf_wrong" not in refused.fault_report.message
    assert fetched(token=right).state == "succeeded"


def test_a_folder_outside_of_the_roots_is_refused_whatever_leads_there(roots: Path, tmp_path: Path) -> None:
    outside = make_folder(tmp_path / "outside")
    (roots / "link").symlink_to(outside)
    for asked in (str(outside), f"{roots}/../outside", str(roots / "link"), "/", f"{roots}-beside"):
        with pytest.raises(Fault) as refusal:
            from_folder(make_user(), make_team(), asked)
        assert refusal.value.report.code == "folder.outside"


def test_a_link_out_of_the_roots_is_not_followed(roots: Path, tmp_path: Path) -> None:
    folder = make_folder(roots / "linked")
    (tmp_path / "secret").write_text("{}")
    (folder / "vocab.json").symlink_to(tmp_path / "secret")
    assert code(imported(folder)) == "folder.leads_out"


def test_links_within_the_roots_are_followed(roots: Path) -> None:
    real = make_folder(roots / "real")
    folder = roots / "snapshot"
    folder.mkdir()
    for file in real.iterdir():
        (folder / file.name).symlink_to(file)
    assert imported(folder).state == "succeeded"


def test_without_roots_no_folder_is_taken(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(Fault) as refusal:
        from_folder(make_user(), make_team(), str(tmp_path))
    assert refusal.value.report.code == "folder.off"


def test_an_upload_goes_on_where_it_broke_off(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "mine")
    contents = {path.name: path.read_bytes() for path in folder.iterdir()}
    announced = {name: Listed(len(content)) for name, content in contents.items()}
    one = from_upload(make_user(), make_team(), announced | {"train.py": Listed(5)}, name="mine")
    assert one.left_out == ["train.py"]
    assert send(one, "config.json", 0, contents["config.json"][:10]) == 10
    with pytest.raises(Fault) as refusal:
        send(one, "config.json", 0, contents["config.json"])
    assert refusal.value.report.params["received"] == 10
    assert not carry.carry_out_one()
    send(one, "config.json", 10, contents.pop("config.json")[10:])
    for name, content in contents.items():
        send(one, name, 0, content)
    assert model_of(carried(one)).name == "mine"


def test_a_name_is_given_once(roots: Path) -> None:
    folder = make_folder(roots / "tiny")
    imported(folder)
    with pytest.raises(Fault) as refusal:
        from_folder(make_user(), make_team(), str(folder))
    assert refusal.value.report.code == "import.name_taken"


def test_housekeeping_keeps_what_a_failed_import_has_stored_and_then_forgets_it(roots: Path) -> None:
    one = imported(make_adapter(roots / "adapter", "tiny"))
    Blob.objects.update(created_at=timezone.now() - timedelta(days=2))
    sweep()
    stored = [find(one.team, sha256) for sha256 in one.files.values_list("sha256", flat=True)]
    assert all(blob and is_whole(blob) for blob in stored)
    Import.objects.update(created_at=timezone.now() - timedelta(days=8))
    forget_imports()
    sweep()
    assert (Import.objects.count(), Blob.objects.count()) == (0, 0)


def test_the_config_is_kept_as_it_was(roots: Path) -> None:
    assert model_of(imported(make_folder(roots / "tiny"))).config == CONFIG


def test_a_folder_whose_name_is_too_long_is_not_there(roots: Path) -> None:
    with pytest.raises(Fault) as refused:
        allowed("0" * 900, [roots])
    assert refused.value.report.code == "folder.not_found"
