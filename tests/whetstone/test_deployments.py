"""Which host holds which model, and how letters reach it."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from contracts.completion import Ask, Delta, Refusal, Said, Taken
from contracts.fault import Fault, FaultReport
from contracts.serving import Attendance, Duties, Held
from tests.whetstone.factories import MACHINE, make_model, make_team, make_user
from whetstone.accounts.models import hash_of
from whetstone.deployments.attend import AGAIN_AFTER, attend
from whetstone.deployments.exchange import Exchange, mailbox_of
from whetstone.deployments.mailbox import InMemory, InRedis, Mailboxes
from whetstone.deployments.mailbox import mailboxes as exchanged
from whetstone.deployments.models import SILENT_AFTER, Deployment, Host
from whetstone.deployments.start import Called, call
from whetstone.modelhub.models import Model

NAME = "ft:tiny:adder"


@pytest.fixture
def model() -> Model:
    made = make_model(NAME)
    made.files = [*made.files, {"path": "model.safetensors", "sha256": "0" * 64, "size": 4}]
    made.save()
    return made


def say(*holds: Held, host: str = "here", **more: Any) -> Duties:
    about = {"pool": "cpu", "machine": MACHINE, "free_memory_gb": 4.0} | more
    return attend(Attendance(host=host, holds=holds, **about))


def ask() -> Called:
    return call(make_team(), NAME)


def the_deployment() -> Deployment:
    return Deployment.objects.select_related("host").get()


def held(state: str = "ready", **more: Any) -> Held:
    return Held.model_validate({"deployment": the_deployment().id, "state": state} | more)


def made_ready() -> None:
    say()
    ask()
    say()
    say(held())
    assert the_deployment().status == "ready"


def test_a_model_that_is_asked_is_given_to_a_host_with_room(model: Model) -> None:
    say()
    assert (ask().standing.status, ask().hosts) == ("queued", ("here",))
    (load,) = say().load
    assert load.model == model.ref()
    assert the_deployment().token_hash == hash_of(load.token)
    assert say(held("loading")).load == ()
    assert say(held()) == Duties()
    found = ask()
    assert (found.standing.status, found.standing.host, found.standing.loads) == ("ready", "here", 1)
    assert Deployment.objects.count() == 1


@pytest.mark.parametrize(
    ("free", "alive", "code"), [(0.1, True, "deployment.no_room"), (4.0, False, "deployment.no_engine")]
)
def test_without_a_place_nobody_waits_for_one(model: Model, free: float, alive: bool, code: str) -> None:
    say()
    seen_at = timezone.now() - (timedelta() if alive else 2 * SILENT_AFTER)
    Host.objects.update(free_memory_gb=free, seen_at=seen_at)
    with pytest.raises(Fault) as caught:
        ask()
    assert caught.value.report.code == code
    if alive:
        assert attend(Attendance(host="here", pool="cpu", machine=MACHINE, free_memory_gb=free)).load == ()


def test_what_cannot_be_asked_is_refused_at_once(model: Model) -> None:
    say()
    scorer = make_model("scorer")
    weights = [{"path": "model.safetensors", "sha256": "1" * 64, "size": 4}]
    Model.objects.filter(id=scorer.id).update(task="reward", files=weights)
    make_model("blank")
    cases = {
        "nobody": "model_missing",
        "scorer": "writes_no_text",
        "blank": "no_weights",
        f"{NAME}:ckpt-step-3": "model_missing",
    }
    for name, code in cases.items():
        with pytest.raises(Fault) as caught:
            call(make_team(), name)
        assert caught.value.report.code == f"deployment.{code}"
    with pytest.raises(Fault) as caught:
        call(make_team(make_user("eve")), NAME)
    assert caught.value.report.code == "deployment.model_missing", "another team's model"
    assert not Deployment.objects.exists()


def test_what_a_silent_host_held_goes_to_another(model: Model) -> None:
    made_ready()
    Host.objects.update(seen_at=timezone.now() - 2 * SILENT_AFTER)
    (load,) = say(host="there").load
    found = the_deployment()
    assert (found.host and found.host.name, found.loads, found.status) == ("there", 2, "loading")
    assert found.token_hash == hash_of(load.token)
    assert say(Held(deployment=found.id, state="ready")).drop == (found.id,), "the first host came back"


def test_a_host_that_lost_its_memory_is_given_the_model_again(model: Model) -> None:
    made_ready()
    (load,) = say().load
    assert load.deployment == the_deployment().id


def test_a_host_that_leaves_gives_up_what_it_holds_and_takes_nothing(model: Model) -> None:
    made_ready()
    assert say(held(), is_leaving=True) == Duties()
    assert say(is_leaving=True) == Duties()
    assert the_deployment().status == "queued"
    with pytest.raises(Fault) as caught:
        ask()
    assert caught.value.report.code == "deployment.no_engine"


def test_an_idle_model_is_let_go_and_comes_back_when_it_is_asked(model: Model) -> None:
    made_ready()
    long_ago = timezone.now() - timedelta(hours=1)
    Deployment.objects.update(asked_at=long_ago, changed_at=long_ago)
    assert say(held(running=1)).drop == (), "it writes"
    assert say(held()).drop == (the_deployment().id,)
    assert (the_deployment().status, the_deployment().reason) == ("stopping", "idle")
    assert say(held("stopping")).drop == (the_deployment().id,)
    say(held("gone"))
    assert (the_deployment().status, the_deployment().reason) == ("stopped", "idle")
    assert ask().standing.status == "queued"
    assert len(say().load) == 1


def test_a_model_that_is_asked_while_it_is_let_go_stays_or_comes_again(model: Model) -> None:
    made_ready()
    Deployment.objects.update(is_wanted=False, status="stopping")
    assert ask().hosts == ("here",), "its host is asked to look"
    assert say(held()).drop == (), "it had not begun to let go"
    assert the_deployment().status == "ready"
    Deployment.objects.update(is_wanted=False, status="stopping")
    ask()
    assert say(held("stopping")).load == (), "it is still there from before"
    (load,) = say(held("gone")).load
    assert (load.deployment, the_deployment().loads) == (the_deployment().id, 2)


def test_a_model_that_cannot_be_loaded_says_why_and_is_tried_again_later(model: Model) -> None:
    say()
    ask()
    say()
    say(held("failed", fault=FaultReport(code="engine.cannot_lead", params={"architecture": "Mamba"})))
    with pytest.raises(Fault) as caught:
        ask()
    assert caught.value.report.code == "deployment.failed"
    assert "Mamba" in caught.value.report.message
    Deployment.objects.update(changed_at=timezone.now() - AGAIN_AFTER)
    assert ask().standing.status == "queued"


def test_a_deleted_model_is_asked_no_more(model: Model) -> None:
    made_ready()
    there = held()
    model.delete()
    assert say(there).drop == (there.deployment,)
    with pytest.raises(Fault) as caught:
        ask()
    assert caught.value.report.code == "deployment.model_missing"


@pytest.fixture(params=["memory", "redis"])
def mailboxes(request: pytest.FixtureRequest) -> Mailboxes:
    return InMemory() if request.param == "memory" else InRedis(request.getfixturevalue("redis_url"))


def test_letters_are_taken_once_in_their_order_as_soon_as_they_come(mailboxes: Mailboxes) -> None:
    async def correspond() -> None:
        assert await mailboxes.take("a", 0.05) == []
        waiting = asyncio.create_task(mailboxes.take("a", 10))
        await asyncio.sleep(0.05)
        await mailboxes.post("b", [b"other"])
        await mailboxes.post("a", [b"1"])
        assert await asyncio.wait_for(waiting, 1) == [b"1"]
        await mailboxes.post("a", [b"2", b"3"])
        await mailboxes.post("a", [b"4"])
        assert await mailboxes.take("a", 1) == [b"2", b"3", b"4"]
        assert await mailboxes.take("a", 0.05) == []
        assert await mailboxes.take("b", 1) == [b"other"]

    asyncio.run(correspond())


def test_letters_come_again_until_the_one_who_collects_has_them(mailboxes: Mailboxes) -> None:
    """The answer that brings them may be lost on its way, and another question may be waiting meanwhile."""

    async def correspond() -> None:
        await mailboxes.post("h", [b"1", b"2"])
        letters, mark = await mailboxes.collect("h", "", 1)
        assert letters == [b"1", b"2"]
        assert await mailboxes.collect("h", "", 1) == (letters, mark), "nobody has said that they arrived"
        await mailboxes.post("h", [b"3"])
        later, last = await mailboxes.collect("h", mark, 1)
        assert later == [b"3"]
        assert await mailboxes.collect("h", "unknown", 1) == (later, last)
        broken_off = asyncio.create_task(mailboxes.collect("h", last, 10))
        await asyncio.sleep(0.05)
        waiting = asyncio.create_task(mailboxes.collect("h", last, 10))
        await asyncio.sleep(0.05)
        await mailboxes.post("h", [b"4"])
        assert (await asyncio.wait_for(broken_off, 5))[0] == [b"4"]
        letters, mark = await asyncio.wait_for(waiting, 5)
        assert letters == [b"4"]
        assert await mailboxes.collect("h", mark, 0.05) == ([], "")

    asyncio.run(correspond())


def spoken(ask: str, *said: Said) -> list[bytes]:
    return [one.model_copy(update={"ask": ask, "number": n}).model_dump_json().encode() for n, one in enumerate(said)]


@pytest.mark.django_db(transaction=True)
def test_a_request_whose_host_goes_before_it_was_read_is_asked_again_and_nothing_is_heard_twice(model: Model) -> None:
    """Once something was written, it is told that the engine is lost."""
    made_ready()
    exchange, called = Exchange(), ask()

    async def answer(*rounds: list[Said], twice: bool = False) -> None:
        for round_ in rounds:
            letter: dict[str, str] = {}
            while letter.get("type") != "ask":  # who was refused is also called off
                letter = json.loads((await exchanged.take(mailbox_of("here"), 5))[-1])
            said = spoken(letter["id"], *round_)
            await exchanged.post(letter["reply_to"], said + (said if twice else []))

    async def read(name: str) -> list[str]:
        heard = []
        about = Ask(id=name, deployment=called.id, reply_to=exchange.address, text="x")
        async for one in exchange.answers(about, called):
            heard.append(one.text if isinstance(one, Delta) else "taken")
        return heard

    lost = Refusal(ask="", fault=FaultReport(code="engine.lost"))
    taken, piece = Taken(ask="", prompt_tokens=3), Delta(ask="", text="a", tokens=1)
    end = piece.model_copy(update={"finish": "stop"})

    async def talk() -> None:
        _, heard = await asyncio.gather(answer([lost], [taken, piece, end], twice=True), read("first"))
        assert heard == ["taken", "a", "a"]
        with pytest.raises(Fault) as caught:
            await asyncio.gather(answer([taken, piece, lost]), read("second"))
        assert caught.value.report.code == "engine.lost"

    asyncio.run(talk())


def test_letters_that_nobody_takes_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whetstone.deployments.mailbox.KEPT_S", -1.0)
    mailboxes = InMemory()

    async def correspond() -> None:
        await mailboxes.post("gone", [b"1"])
        await mailboxes.post("a", [b"2"])
        assert await mailboxes.take("gone", 0.01) == []

    asyncio.run(correspond())
