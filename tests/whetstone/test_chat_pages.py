"""The chat's and the labels' pages, for whoever may see them."""

from tests.whetstone.factories import CHATS, PAIRS, make_dataset, make_model, make_team, make_user
from tests.whetstone.pages import browser, page_data
from whetstone.conversations.keep import begin
from whetstone.conversations.thread import Thread
from whetstone.deployments.models import Deployment
from whetstone.modelhub.models import Model

WEIGHTS = {"path": "model.safetensors", "sha256": "0" * 64, "size": 4}


def askable(name: str = "talker") -> Model:
    model = make_model(name)
    model.files = [WEIGHTS]
    model.save()
    return model


def test_without_a_model_to_ask_the_page_says_what_to_do() -> None:
    make_model("blank")
    assert "No model can be asked yet" in browser().get("/chat").content.decode()


def test_the_page_knows_what_can_be_asked_and_where_labels_fit() -> None:
    askable()
    make_model("blank")
    Model.objects.filter(id=askable("scorer").id).update(task="reward")
    make_dataset(PAIRS, "pairs")
    make_dataset(CHATS, "chats")
    html = browser().get("/chat?model=talker").content.decode()
    data = page_data(html, "chat-data")
    assert [name for group in data["groups"] for name in group["models"]] == ["talker"]
    assert data["models"] == ["talker"]
    assert data["datasets"] == {"preference": ["pairs"], "rating": [], "edit": ["chats"]}
    assert data["conversation"] is None
    queue = page_data(browser().get("/labels").content.decode(), "labels-data")
    assert {one["value"] for one in queue["prompts"]} == {"dataset:pairs@1", "dataset:chats@1"}


def test_a_conversation_opens_for_its_team_alone() -> None:
    askable()
    title = "</script><script>alert(1)</script>"
    kept = begin(make_user(), make_team(), Thread(models=("talker",)), title)
    html = browser().get(f"/chat/{kept.id}").content.decode()
    assert page_data(html, "chat-data")["conversation"]["title"] == title
    assert "<script>alert" not in html
    assert browser(make_user("eve")).get(f"/chat/{kept.id}").status_code == 404
    assert browser().get("/chat/conv-nobody").status_code == 404


def test_who_waits_for_a_model_hears_what_it_does() -> None:
    model = askable()
    ref = model.ref().model_dump(mode="json")
    now = model.created_at
    Deployment.objects.create(
        team=make_team(), name="talker", source=model, model=ref, status="loading", changed_at=now, asked_at=now
    )
    assert browser().get("/chat/standing?model=talker").json() == {"status": "loading"}
    assert browser(make_user("eve")).get("/chat/standing?model=talker").json() == {"status": ""}


def test_a_dataset_shows_how_people_agree() -> None:
    made = make_dataset(PAIRS, "pairs")
    prompt, answers = [{"role": "user", "content": "?"}], [{"text": "a"}, {"text": "b"}]
    body = {"dataset": "pairs", "kind": "preference", "verdict": "first", "prompt": prompt, "answers": answers}
    assert browser().post("/api/v1/labels", body, content_type="application/json").status_code == 200
    html = browser().get(f"/datasets/{made.id}").content.decode()
    assert "Not in a version yet" in html
    assert "/labels?dataset=pairs" in html
