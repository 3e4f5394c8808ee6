"""`whetstone gate` over the evaluations of a real job, and the pipelines of the guide, run as shell."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
import yaml

from scripts.compose import ROOT
from tests.end_to_end.command_line import Shell, key, shell
from tests.end_to_end.laptop import created, until
from tests.end_to_end.test_laptop import draft, questions

__all__ = ["key", "questions", "shell"]
pytestmark = pytest.mark.end_to_end

GUIDE = ROOT / "docs" / "guides" / "ci"


@pytest.fixture(scope="session")
def evaluated(api: httpx.Client, questions: str) -> str:
    job = created(api, draft(questions, max_steps=2) | {"validation_file": questions})["id"]
    assert until(api, job)["status"] == "succeeded"
    return str(job)


def test_a_gate_passes_and_fails_with_reports(shell: Shell, evaluated: str, tmp_path: Path) -> None:
    junit, markdown = tmp_path / "reports" / "gate.xml", tmp_path / "gate.md"
    met, not_met = "valid_reward_mean >= 0", "delta_vs_start > 1"
    reports = ("--junit", junit, "--markdown", markdown)
    said = shell.run("gate", evaluated, "--require", met, "--require", not_met, *reports, code=1)
    assert "passed" in said
    assert "failed" in said
    suite = ElementTree.parse(junit).getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    assert [case.get("name") for case in suite] == [met, not_met]
    assert [case.find("failure") is not None for case in suite] == [False, True]
    table = markdown.read_text()
    assert table.startswith("### ❌ failed")
    assert f"| `{met}` |" in table
    assert " to " in table, "with an interval"
    shell.run("gate", evaluated, "--require", met, *reports)
    assert markdown.read_text().startswith("### ✅ passed")


def test_strict_wants_the_whole_interval(shell: Shell, evaluated: str, api: httpx.Client) -> None:
    measures = api.get(f"/api/v1/jobs/{evaluated}/evaluations").json()["measures"]
    reward = next(one for one in measures if one["name"] == "valid_reward_mean")
    assert reward["low"] < reward["value"] < reward["high"]
    assert (reward["method"], reward["rows"]) == ("t", 64)
    between = f"valid_reward_mean >= {(reward['low'] + reward['value']) / 2}"
    assert shell.json("gate", evaluated, "--require", between)["requirements"][0]["verdict"] == "passed"
    assert shell.json("gate", evaluated, "--require", between, "--strict", code=1)["strict"] is True
    shell.run("gate", evaluated, "--require", f"valid_reward_mean >= {reward['low'] - 1e-6}", "--strict")
    shell.run("gate", evaluated, "--require", f"valid_reward_mean <= {reward['value'] + 1e-6}", "--strict", code=1)


def test_a_surer_interval_is_wider(api: httpx.Client, evaluated: str) -> None:
    def width(confidence: float) -> dict[str, float]:
        found = api.get(f"/api/v1/jobs/{evaluated}/evaluations?confidence={confidence}").json()["measures"]
        return {one["name"]: one["high"] - one["low"] for one in found if one["low"] is not None}

    narrow, wide = width(0.5), width(0.99)
    assert {"valid_reward_mean", "valid_accuracy", "delta_vs_start", "delta_valid_length_mean"} <= narrow.keys()
    assert all(narrow[name] <= wide[name] for name in narrow)
    assert narrow["valid_reward_mean"] < wide["valid_reward_mean"]


def test_what_a_gate_cannot_tell_is_an_exit_code_of_its_own(
    shell: Shell, evaluated: str, api: httpx.Client, questions: str
) -> None:
    shell.run("gate", evaluated, "--require", "valid_nothing > 0", code=3)
    assert "valid_reward_mean" in shell.told, "the names that there are"
    shell.run("gate", "ftjob-none", "--require", "valid_loss < 1", code=3)
    shell.run("gate", evaluated, "--require", "valid_reward_mean is good", code=64)
    shell.run("gate", evaluated, code=64)
    job = created(api, draft(questions, max_steps=500, n_epochs=50))["id"]
    shell.run("gate", job, "--require", "valid_loss < 1", code=3)
    assert "jobs wait" in shell.told
    api.post(f"/v1/fine_tuning/jobs/{job}/cancel")
    until(api, job)
    shell.run("gate", job, "--require", "valid_loss < 1", code=2)
    job = created(api, draft(questions, max_steps=1))["id"]
    until(api, job)
    shell.run("gate", job, "--require", "valid_loss < 1", code=3)
    assert "never evaluated" in shell.told


def commands(pipeline: str) -> list[str]:
    """The shell of a pipeline of the guide, but for what installs."""
    document: Any = yaml.safe_load((GUIDE / pipeline).read_text())
    if pipeline == "gitlab.yml":
        return ["\n".join(document["train"]["script"])]
    steps = document["jobs"]["train"]["steps"]
    return [step["run"] for step in steps if "run" in step and step["name"] != "Install"]


@pytest.mark.parametrize("pipeline", ["github.yml", "gitlab.yml"])
@pytest.mark.skipif(shutil.which("jq") is None, reason="LEFT OUT: jq is not installed")
def test_the_pipelines_of_the_guide_run_as_they_stand(shell: Shell, pipeline: str, tmp_path: Path) -> None:
    shutil.copytree(GUIDE, tmp_path / "training")
    program = tmp_path / "bin" / "whetstone"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m whetstone_cli "$@"\n')
    program.chmod(0o755)
    environment = os.environ | shell.environment
    environment |= {"PATH": f"{program.parent}:{os.environ['PATH']}", "GITHUB_SHA": "0123", "CI_COMMIT_SHA": "0123"}
    environment |= {name: str(tmp_path / name) for name in ("GITHUB_ENV", "GITHUB_STEP_SUMMARY")}
    for command in commands(pipeline):
        kept = tmp_path / "GITHUB_ENV"
        held = dict(line.split("=", 1) for line in kept.read_text().splitlines()) if kept.exists() else {}
        subprocess.run(["bash", "-e", "-c", command], cwd=tmp_path, env=environment | held, check=True)
    report = (tmp_path / "reports" / "gate.md").read_text()
    assert report.startswith("### ✅ passed")
    assert ElementTree.parse(tmp_path / "reports" / "gate.xml").getroot()[0].get("tests") == "2"
    if pipeline == "github.yml":
        assert (tmp_path / "GITHUB_STEP_SUMMARY").read_text() == report
        assert (tmp_path / "model" / "model.safetensors").stat().st_size > 1_000_000


@pytest.mark.parametrize("file", ["job.yaml", "github.yml", "gitlab.yml"])
def test_the_guide_shows_the_files_as_they_are(file: str) -> None:
    guide = (GUIDE.parent / "ci.md").read_text()
    assert f"```yaml\n{(GUIDE / file).read_text()}```" in guide
