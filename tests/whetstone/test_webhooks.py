"""Webhooks: deliveries made of events, signed, sent to real receivers on loopback, tried again, given up."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import pairwise
from typing import Any

import openai
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from contracts.event import CheckpointSaved, Report
from contracts.fault import Fault
from tests.judges import Asked, Said, Server, serving
from tests.whetstone.factories import make_job, make_key, make_team, make_user
from tests.whetstone.pages import browser
from whetstone.artifacts.store import put_bytes
from whetstone.jobs.claim import claim
from whetstone.jobs.models import Job
from whetstone.jobs.record import ask, record, resume
from whetstone.webhooks import deliver
from whetstone.webhooks.deliver import Deliverer, redeliver, wait_after
from whetstone.webhooks.endpoints import add_endpoint, find_endpoint, rotate
from whetstone.webhooks.models import EVENT_TYPES, Cursor, Delivery, Endpoint
from whetstone.webhooks.notice import notice

OK: Said = (200, {}, b"{}")
TYPES = ["fine_tuning.job.succeeded", "fine_tuning.job.cancelled"]


@pytest.fixture(autouse=True)
def loopback_is_allowed(settings: Settings) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"private_hosts": "127.0.0.1"})


@pytest.fixture
def receiver() -> Iterator[Callable[..., Server]]:
    """Makes receivers; what each answers may be a function of what it is asked."""
    with ExitStack() as stack:

        def make(answer: Said | Callable[[Asked], Said] = OK) -> Server:
            return stack.enter_context(serving(answer if callable(answer) else lambda _: answer))

        yield make


def make_endpoint(url: str, *types: str) -> tuple[Endpoint, str]:
    return add_endpoint(make_user(), make_team(), "CI", url, types or TYPES)


def cancelled() -> Job:
    job = make_job()
    ask(job.id, Job.Wish.CANCEL)
    return job


def deliver_all(timeout_s: float = 10) -> None:
    """Rounds until nothing is under way."""
    deliverer = Deliverer(timeout_s)
    give_up = time.monotonic() + 30
    while deliverer.round():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def unwrapped(asked: Asked, secret: str) -> Any:  # Any: one of the SDK's events
    with openai.OpenAI(api_key="none") as client:
        return client.webhooks.unwrap(asked.raw, asked.headers, secret=secret)


def test_openai_s_client_unwraps_what_is_delivered(receiver: Callable[..., Server]) -> None:
    server = receiver()
    _, secret = make_endpoint(f"{server.url}/hook")
    job = cancelled()
    deliver_all()
    (asked,) = server.asked
    event = unwrapped(asked, secret)
    assert (event.type, event.data.id, event.object) == ("fine_tuning.job.cancelled", job.id, "event")
    assert asked.headers["webhook-id"] == event.id
    assert asked.path == "/hook"
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.last_status) == ("delivered", 1, 200)
    with pytest.raises(openai.InvalidWebhookSignatureError):
        unwrapped(asked, "whsec_" + "A" * 44)
    changed = Asked(asked.path, asked.headers, None, asked.raw.replace(b"cancelled", b"succeeded"))
    with pytest.raises(openai.InvalidWebhookSignatureError):
        unwrapped(changed, secret)


def test_only_what_was_asked_for_and_happened_since_is_delivered() -> None:
    cancelled()
    endpoint, _ = make_endpoint("http://127.0.0.1:9/", "fine_tuning.job.cancelled")
    stranger, _ = add_endpoint(make_user("bob"), make_team(make_user("bob")), "Bob's", "http://127.0.0.1:9/", TYPES)
    wants_no_end, _ = make_endpoint("http://127.0.0.1:9/", "fine_tuning.job.paused")
    later = cancelled()
    notice()
    assert [(one.endpoint_id, json.loads(one.body)["data"]["id"]) for one in Delivery.objects.all()] == [
        (endpoint.id, later.id)
    ]
    assert not stranger.deliveries.exists()
    assert not wants_no_end.deliveries.exists()


def test_pauses_and_checkpoints_are_told_with_their_step() -> None:
    make_endpoint("http://127.0.0.1:9/", *EVENT_TYPES)
    job = make_job()
    ask(job.id, Job.Wish.PAUSE)
    resume(job.id)
    claimed = claim("w1", "cpu")
    assert claimed
    file = put_bytes(job.team, b"weights").ref("model.safetensors")
    saved = CheckpointSaved(step=7, files=(file,))
    record(job.id, claimed.token, (Report(seq=1, at=time.time(), event=saved),))
    notice()
    told = [json.loads(one.body) for one in Delivery.objects.order_by("created_at")]
    assert [(one["type"], one["data"]) for one in told] == [
        ("fine_tuning.job.paused", {"id": job.id}),
        ("fine_tuning.job.checkpoint", {"id": job.id, "step": 7}),
    ]


def test_looking_again_makes_no_second_delivery() -> None:
    make_endpoint("http://127.0.0.1:9/")
    job = cancelled()
    notice()
    notice()
    Cursor.objects.filter(job=job).update(number=0)  # as after a crash between two writes, were they not one
    notice()
    assert Delivery.objects.count() == 1


def test_what_happened_while_no_supervisor_ran_is_delivered_later(receiver: Callable[..., Server]) -> None:
    server = receiver()
    make_endpoint(server.url)
    jobs = [cancelled() for _ in range(3)]
    deliver_all()
    assert {asked.body["data"]["id"] for asked in server.asked} == {job.id for job in jobs}


def test_a_receiver_that_fails_is_asked_again_with_the_same_id(receiver: Callable[..., Server]) -> None:
    answers = [(500, {}, b"no"), (302, {"Location": "http://127.0.0.1:9/"}, b""), OK]
    server = receiver(lambda _: answers.pop(0))
    make_endpoint(server.url)
    cancelled()
    for attempts in (1, 2, 3):
        deliver_all()
        delivery = Delivery.objects.get()
        assert delivery.attempts == attempts
        if attempts < 3:
            assert delivery.state == "waiting"
            assert delivery.next_at > timezone.now()
            Delivery.objects.update(next_at=timezone.now())
    assert delivery.state == "delivered"
    assert len({asked.headers["webhook-id"] for asked in server.asked}) == 1
    assert len(server.asked) == 3, "the redirect was not followed"


def test_it_is_tried_less_and_less_often_until_72_hours_are_over() -> None:
    waits = [wait_after(n) for n in range(1, 12)]
    assert timedelta(seconds=4) < waits[0] < timedelta(seconds=6)
    assert all(later > earlier for earlier, later in pairwise(waits[:6]))
    assert max(waits) <= timedelta(hours=4.4)
    make_endpoint("http://127.0.0.1:9/")
    cancelled()
    notice()
    Delivery.objects.update(give_up_at=timezone.now() + timedelta(seconds=1))
    deliver_all()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.last_status) == ("failed", None)
    assert "not reached" in delivery.last_error
    deliver_all()
    assert Delivery.objects.get().attempts == 1, "what was given up is not tried"


def test_private_addresses_are_refused_unless_they_are_allowed(
    receiver: Callable[..., Server], settings: Settings
) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"private_hosts": ""})
    server = receiver()
    make_endpoint(server.url)
    cancelled()
    deliver_all()
    assert server.asked == []
    assert "no public address" in Delivery.objects.get().last_error


def test_a_slow_receiver_holds_up_no_other(receiver: Callable[..., Server]) -> None:
    let_go = threading.Event()
    slow, quick = receiver(lambda _: (let_go.wait(20), OK)[1]), receiver()
    make_endpoint(slow.url)
    for _ in range(2 * deliver.AT_ONCE):
        cancelled()
    notice()
    make_endpoint(quick.url)
    Endpoint.objects.update(created_at=timezone.now() - timedelta(hours=1))
    cancelled()
    deliverer = Deliverer()
    give_up = time.monotonic() + 15
    while not Delivery.objects.filter(endpoint__url=quick.url, state="delivered").exists():
        deliverer.round()
        assert time.monotonic() < give_up
        time.sleep(0.01)
    assert len(slow.asked) == 1, "one at a time"
    let_go.set()
    while deliverer.round():
        pass


def test_a_receiver_that_never_answers_is_left_after_a_while(receiver: Callable[..., Server]) -> None:
    let_go = threading.Event()
    server = receiver(lambda _: (let_go.wait(20), OK)[1])
    make_endpoint(server.url)
    cancelled()
    deliver_all(timeout_s=0.2)
    let_go.set()
    assert "no answer within" in Delivery.objects.get().last_error


def test_two_supervisors_send_a_delivery_once(receiver: Callable[..., Server]) -> None:
    server = receiver()
    make_endpoint(server.url)
    cancelled()
    one, other = Deliverer(), Deliverer()
    one.round()
    assert other.round() == 0, "the first has taken it"
    while one.round():
        time.sleep(0.01)
    assert len(server.asked) == 1


def test_what_a_dead_supervisor_had_taken_is_sent_by_the_next(receiver: Callable[..., Server]) -> None:
    server = receiver()
    make_endpoint(server.url)
    cancelled()
    notice()
    taken = Delivery.objects.get()
    assert deliver._take(taken)
    deliver_all()
    assert server.asked == []
    Delivery.objects.update(next_at=timezone.now())  # the minute for which it was taken is over
    deliver_all()
    assert len(server.asked) == 1


def test_a_rotated_secret_signs_beside_the_new_one_for_a_day(receiver: Callable[..., Server]) -> None:
    server = receiver()
    endpoint, old = make_endpoint(server.url)
    new = rotate(endpoint, keep_old=True)
    cancelled()
    deliver_all()
    for secret in (old, new):
        assert unwrapped(server.asked[0], secret).type == "fine_tuning.job.cancelled"
    Endpoint.objects.update(former_until=timezone.now())
    cancelled()
    deliver_all()
    unwrapped(server.asked[1], new)
    with pytest.raises(openai.InvalidWebhookSignatureError):
        unwrapped(server.asked[1], old)
    rotate(endpoint, keep_old=False)
    cancelled()
    deliver_all()
    with pytest.raises(openai.InvalidWebhookSignatureError):
        unwrapped(server.asked[2], new)


def test_a_secret_is_stored_sealed_alone() -> None:
    endpoint, secret = make_endpoint("https://example.com/hook")
    row = Endpoint.objects.values().get(id=endpoint.id)
    assert secret.startswith("whsec_")
    assert secret not in str(row)
    assert secret.removeprefix("whsec_")[:12] not in str(row)


def test_redelivery_sends_the_same_message_again(receiver: Callable[..., Server]) -> None:
    server = receiver()
    make_endpoint(server.url)
    cancelled()
    deliver_all()
    redeliver(Delivery.objects.get())
    deliver_all()
    first, second = server.asked
    assert (first.raw, first.headers["webhook-id"]) == (second.raw, second.headers["webhook-id"])
    assert Delivery.objects.get().attempts == 1


def test_old_deliveries_are_forgotten_and_waiting_ones_are_not() -> None:
    make_endpoint("http://127.0.0.1:9/")
    for _ in range(2):
        cancelled()
    notice()
    kept, gone = Delivery.objects.order_by("created_at")
    long_ago = timezone.now() - timedelta(days=31)
    Delivery.objects.update(created_at=long_ago, next_at=timezone.now() + timedelta(hours=1))
    Delivery.objects.filter(id=gone.id).update(state="delivered", give_up_at=long_ago)
    deliver_all()
    assert [one.id for one in Delivery.objects.all()] == [kept.id]


def api() -> Client:
    return Client(headers={"authorization": f"Bearer {make_key()}"})


def post(client: Client, path: str, **body: object) -> Any:  # Any: Django's test response
    return client.post(path, body, content_type="application/json")


def test_endpoints_are_made_changed_tested_and_deleted_over_rest(receiver: Callable[..., Server]) -> None:
    client, server = api(), receiver((204, {}, b""))
    made = post(client, "/v1/webhook_endpoints", name="CI", url=server.url, event_types=TYPES).json()
    address = f"/v1/webhook_endpoints/{made['id']}"
    assert made["signing_secret_hint"].endswith(made["signing_secret"][-5:-1])
    assert "signing_secret" not in client.get(address).json()
    assert [one["id"] for one in client.get("/v1/webhook_endpoints").json()["data"]] == [made["id"]]
    changed = post(client, address, event_types=["fine_tuning.job.failed"]).json()
    assert (changed["event_types"], changed["url"]) == (["fine_tuning.job.failed"], server.url)
    tested = post(client, f"{address}/test", event_type="fine_tuning.job.succeeded").json()
    assert (tested["status_code"], tested["success"]) == (204, True)
    assert unwrapped(server.asked[0], made["signing_secret"]).type == "fine_tuning.job.succeeded"
    assert not Delivery.objects.exists()
    rotated = post(client, f"{address}/rotate_secret", keep_old_secret_active_for_24_hours=True).json()
    assert rotated["signing_secret"] != made["signing_secret"]
    assert client.delete(address).json()["deleted"]
    assert client.get(address).status_code == 404


def test_what_is_wrong_with_an_endpoint_is_said() -> None:
    client = api()
    wrong: dict[str, dict[str, object]] = {
        "event_types": {"event_types": ["batch.completed"]},
        "url": {"url": "ftp://example.com"},
        "name": {"name": ""},
    }
    for field, change in wrong.items():
        body: dict[str, object] = {"name": "CI", "url": "https://example.com", "event_types": TYPES} | change
        answer = post(client, "/v1/webhook_endpoints", **body)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, field)
    made = post(client, "/v1/webhook_endpoints", name="CI", url="http://127.0.0.1:9/", event_types=TYPES).json()
    answer = post(client, f"/v1/webhook_endpoints/{made['id']}/test", event_type=TYPES[0])
    assert answer.json()["error"]["code"] == "webhook.unreachable"
    with pytest.raises(Fault, match="no webhook endpoint"):
        find_endpoint(make_team(make_user("bob")), made["id"])


def test_deliveries_are_listed_and_sent_again_over_rest(receiver: Callable[..., Server]) -> None:
    server = receiver((500, {}, b""))
    endpoint, _ = make_endpoint(server.url)
    cancelled()
    deliver_all()
    client = api()
    (told,) = client.get(f"/api/v1/webhooks/deliveries?endpoint={endpoint.id}&state=waiting").json()["data"]
    assert (told["attempts"], told["last_status"], told["type"]) == (1, 500, "fine_tuning.job.cancelled")
    assert told["next_at"] > time.time()
    server.answer = lambda _: OK
    assert post(client, f"/api/v1/webhooks/deliveries/{told['id']}/redeliver").json()["attempts"] == 0
    deliver_all()
    assert client.get("/api/v1/webhooks/deliveries?state=delivered").json()["data"][0]["id"] == told["id"]
    stranger = Client(headers={"authorization": f"Bearer {make_key(make_user('bob'))}"})
    assert stranger.get("/api/v1/webhooks/deliveries").json()["data"] == []
    assert post(stranger, f"/api/v1/webhooks/deliveries/{told['id']}/redeliver").status_code == 404


def test_the_settings_page_shows_the_secret_once_and_the_deliveries(receiver: Callable[..., Server]) -> None:
    person, server = browser(), receiver((500, {}, b""))
    page = person.post(reverse("webhook-add"), {"name": "CI", "url": server.url, "event_types": TYPES})
    assert b"whsec_" in page.content
    assert page["Cache-Control"] == "no-store"
    secret = page.context["signing_secret"]
    assert secret not in person.get(reverse("settings")).content.decode()
    cancelled()
    deliver_all()
    shown = person.get(reverse("settings")).content.decode()
    assert "job.cancelled" in shown
    assert "500" in shown
    endpoint, delivery = Endpoint.objects.get(), Delivery.objects.get()
    person.post(reverse("delivery-again", args=[delivery.id]))
    assert Delivery.objects.get().attempts == 0
    person.post(reverse("webhook-test", args=[endpoint.id]))
    assert "answered 500" in person.get(reverse("settings")).content.decode()
    assert "whsec_" in person.post(reverse("webhook-rotate", args=[endpoint.id])).content.decode()
    assert (
        "ftp"
        in person.post(
            reverse("webhook-add"), {"name": "x", "url": "ftp://x", "event_types": TYPES}, follow=True
        ).content.decode()
    )
    person.post(reverse("webhook-delete", args=[endpoint.id]))
    assert not Endpoint.objects.exists()
