"""What a host of engines counts, notes down and shares."""

from typing import Any

import pytest

from contracts.completion import Ask, Delta, Refusal, Taken
from contracts.fault import FaultReport
from contracts.job import FileRef, ModelRef
from contracts.serving import LONGEST_LINE, MOST_LINES, Load
from trainer_worker.engine.journal import Journal
from trainer_worker.engine.meter import Meter
from trainer_worker.engine.shelf import Shelf


def test_requests_tokens_and_the_first_token_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("trainer_worker.engine.meter.time.monotonic", lambda: now[0])
    meter = Meter()
    for name in ("read", "whole", "left", "refused"):
        meter.begin(Ask(id=name, deployment="d", reply_to="w", choices=2, in_pieces=name != "whole"))
    meter.hear(Taken(ask="read", prompt_tokens=7))
    now[0] += 0.05
    meter.hear(Delta(ask="read", text="a", tokens=1))
    meter.hear(Delta(ask="read", text="b", tokens=3, finish="stop"))
    meter.hear(Delta(ask="read", choice=1, text="b", tokens=4, finish="length"))
    meter.hear(Delta(ask="read", text="too late", tokens=99))
    meter.hear(Delta(ask="whole", tokens=12))
    meter.hear(Refusal(ask="refused", fault=FaultReport(code="engine.lost")))
    meter.cancel("left")
    meter.cancel("left")
    told = meter.counts()
    assert (told.requests, told.errors, told.cancelled, told.prompt_tokens, told.tokens) == (4, 1, 1, 7, 20)
    assert (told.first_token_ms, told.tokens_per_s) == (50.0, 2.0)
    now[0] += 60
    assert meter.counts().tokens_per_s == 0.0


def test_lines_are_told_until_they_are_heard_and_the_oldest_are_dropped() -> None:
    journal = Journal()
    journal.write("one\ntwo" + "x" * 2 * LONGEST_LINE)
    last, lines = journal.untold()
    assert (last, len(lines), len(lines[1])) == (2, 2, LONGEST_LINE)
    journal.write("three")
    journal.told(last)
    assert [line[9:] for line in journal.untold()[1]] == ["three"]
    for n in range(2 * MOST_LINES):
        journal.write(str(n))
    assert len(journal.untold()[1]) == MOST_LINES


class Closing:
    """An engine of which it matters only whether it is closed."""

    closed = 0

    def close(self) -> None:
        Closing.closed += 1


def test_deployments_of_one_model_share_its_engine_until_the_last_has_gone() -> None:
    def load(name: str, sha: str) -> Load:
        files = (FileRef(path="model.safetensors", sha256=sha * 64, size=1),)
        return Load(deployment=name, name=name, token="t", model=ModelRef(name=name, files=files, parameters=1))

    shelf, start = Shelf(), lambda: Closing()
    any_start: Any = start
    first, second, other = load("a", "0"), load("b", "0"), load("c", "1")
    engine = shelf.take(first, any_start)
    assert shelf.take(second, any_start) is engine
    assert shelf.take(other, any_start) is not engine
    shelf.give_back(first)
    assert Closing.closed == 0
    shelf.give_back(second)
    assert Closing.closed == 1
    with pytest.raises(ZeroDivisionError):
        shelf.take(first, lambda: 1 // 0)  # type: ignore[arg-type,return-value]  # it never comes to that
    assert shelf.take(second, any_start) is not engine
