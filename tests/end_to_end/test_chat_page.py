"""Chat with one model and side by side, label ten pairs by keys, publish them, and train on them: by clicking alone."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.laptop import created, until, upload
from tests.end_to_end.steps import PATIENCE_MS, ask, create_job, label_ten_pairs, publish, see_it_succeed

pytestmark = pytest.mark.end_to_end
SUMS = [
    {"messages": [{"role": "user", "content": f"{n}+{n}"}, {"role": "assistant", "content": str(2 * n)}]}
    for n in range(40)
]
LIVELY = """\
<img src=x onerror="document.title='pwned'"><script>document.title='pwned'</script><svg/onload=alert(1)>
[one](javascript:alert(1)) ![two](https://elsewhere.example/pixel.png) <a href="javascript:alert(1)">three</a>

# Sum

| a | b |
|--:|---|
| <iframe src=//elsewhere.example> | **4** |

```python
</code></pre><img src=x onerror=alert(1)>
```
"""


@pytest.fixture(scope="module")
def model(api: httpx.Client) -> str:
    file = upload(api, "chatted.jsonl", SUMS)
    method: Any = {"type": "full", "full": {"hyperparameters": {"max_steps": 4, "batch_size": 8}}}
    draft = {"model": "starter-blank", "training_file": file["id"], "method": method, "suffix": "chatty", "seed": 1}
    done = until(api, created(api, draft)["id"])
    assert done["status"] == "succeeded", done
    return str(done["fine_tuned_model"])


def test_a_person_chats_labels_and_trains_on_the_labels(page: Page, api: httpx.Client, model: str) -> None:
    page.goto(f"/chat?model={model}&model={model}")
    page.get_by_role("button", name="One model alone").click()
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Most tokens").fill("12")
    page.get_by_label("Seed").fill("5")
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("How answers are shown").select_option("tokens")
    ask(page, "3+3")
    page.wait_for_url("**/chat/conv-*")
    page.locator(".token").first.hover()
    expect(page.locator(".token-tip .tip-row").first).to_contain_text("%")
    page.get_by_label("How answers are shown").select_option("text")
    answer = page.locator(".chat-answer").last
    answer.get_by_title("Edit").click()
    page.get_by_label("The answer as it should be").fill("6")
    page.get_by_label("The answer as it should be").press("Enter")
    expect(page.locator(".label-tray")).to_contain_text("1 new label for chat-corrections")
    answer.get_by_title("A good answer").click()
    expect(page.locator(".label-tray")).to_contain_text("1 new label for chat-ratings")
    page.get_by_role("button", name="Compare with another").click()
    ask(page, "4+4")
    expect(page.locator(".chat-turn").last.locator(".chat-answer")).to_have_count(2)
    page.keyboard.press("Alt+3")
    expect(page.get_by_role("button", name="Tie")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".label-tray")).to_contain_text("1 new label for chat-preferences")
    page.reload()
    expect(page.get_by_role("button", name="Tie")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".chat-turn").first.locator(".chat-answer")).to_contain_text("edited")
    assert api.get("/api/v1/conversations").json()["data"][0]["title"] == "3+3"
    page.goto("/labels?dataset=ten-pairs")
    label_ten_pairs(page, "chatted@1", (model, model), "ten-pairs")
    publish(page, "ten-pairs@1", "10 rows")
    page.get_by_role("link", name="Train on it").click()
    page.locator("label[for=method-dpo]").click()
    page.get_by_label("Model", exact=True).select_option("starter-blank")
    create_job(page, most_steps="2", batch_size="4")
    see_it_succeed(page)


def test_what_a_model_writes_never_comes_alive(page: Page, api: httpx.Client, model: str) -> None:
    """The page's fixture fails the test, too, where the Content-Security-Policy had to step in."""
    answer = {"model": model, "text": LIVELY, "finish": "stop"}
    thread = {"models": [model], "turns": [{"message": LIVELY, "answers": [answer]}]}
    kept = api.post("/api/v1/conversations", json={"thread": thread, "title": "<b>bold</b>"}).json()
    page.goto(f"/chat/{kept['id']}")
    shown = page.locator(".markdown")
    expect(shown.locator("h1")).to_have_text("Sum")
    expect(shown.locator("td strong")).to_have_text("4")
    expect(page.locator(".conversation.is-open .one-line").first).to_have_text("<b>bold</b>")
    expect(page).to_have_title("<b>bold</b> · Whetstone")
    assert (
        page.locator("chat-page :is(img, script, svg[onload], iframe, form input, [onerror], [style*=align])").count()
        == 0
    )
    hrefs = shown.locator("a").evaluate_all("links => links.map((link) => link.getAttribute('href'))")
    assert hrefs == ["https://elsewhere.example/pixel.png"], "a picture is a link that somebody may follow"
    page.get_by_label("How answers are shown").select_option("text")
    expect(page.locator(".chat-answer .as-written")).to_have_text(LIVELY.strip())


def test_what_cannot_be_answered_is_said_in_the_thread(page: Page, api: httpx.Client, model: str) -> None:
    page.goto(f"/chat?model={model}")
    ask(page, "x" * 3000)
    expect(page.locator(".answer-note.is-bad")).to_contain_text("The model reads at most")
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".answer-note.is-bad")).to_contain_text("Shorten the prompt.")
    page.get_by_role("button", name="Edit the message").click()
    page.get_by_label("The message", exact=True).fill("2+2")
    page.get_by_label("The message", exact=True).press("Enter")
    expect(page.locator(".answer-note.is-bad")).to_be_hidden(timeout=PATIENCE_MS)
    page.wait_for_url("**/chat/conv-*")
    page.get_by_role("button", name=re.compile("Delete")).first.click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.wait_for_url("**/chat")
    expect(page.get_by_role("heading", name="What do you want to ask?")).to_be_visible()


def test_a_model_of_the_platform_is_asked_as_a_judge(api: httpx.Client, model: str) -> None:
    """It has learned nothing, and gives no judgement: that what it wrote could not be read shows that it was asked."""
    assert api.post("/api/v1/judges", json={"name": "at-home", "model": model}).status_code == 200
    ask_it = [{"role": "user", "content": "{{ sample.output_text }}"}]
    sampling = {"max_completion_tokens": 8}
    grader = {"type": "score_model", "name": "q", "model": "at-home", "input": ask_it, "sampling_params": sampling}
    tried = api.post("/api/v1/graders/try", json={"grader": grader, "samples": [{"output_text": "4"}]}, timeout=120)
    (one,) = tried.json()["grades"]
    assert one["grade"]["score"] is None
    assert one["grade"]["errors"].get("model_grader_parse_error"), one
