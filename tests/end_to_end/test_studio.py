"""The evaluator studio, by clicking: build, try, attack, paste, save, and compare."""

import json
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.end_to_end.laptop import upload

pytestmark = pytest.mark.end_to_end

SUMS = [{"messages": [{"role": "user", "content": f"{n}+{n}="}], "reference": str(2 * n)} for n in range(5, 45)]
ANSWER, REFERENCE = "{{ sample.output_text }}", "{{ item.reference }}"
EXACT = {"type": "string_check", "name": "exact", "input": ANSWER, "reference": REFERENCE, "operation": "ilike"}
ALIKE = {"type": "text_similarity", "name": "alike", "input": ANSWER, "reference": REFERENCE}
JUDGED = [
    {"role": "system", "content": "Judge."},
    {"role": "user", "content": [{"type": "input_text", "text": ANSWER}]},
]
EXAMPLES: list[dict[str, Any]] = [
    EXACT,
    EXACT | {"operation": "neq"},
    ALIKE | {"evaluation_metric": "fuzzy_match", "pass_threshold": 0.8},
    ALIKE | {"evaluation_metric": "rouge_l"},
    {
        "type": "score_model",
        "name": "s",
        "input": JUDGED,
        "model": "wise",
        "range": [0, 5],
        "sampling_params": {"seed": 1},
    },
    {
        "type": "label_model",
        "name": "l",
        "input": JUDGED,
        "model": "wise",
        "labels": ["a", "b"],
        "passing_labels": ["a"],
    },
    {"type": "python", "name": "p", "source": "def grade(sample, item):\n    return 1.0", "image_tag": "2025-05-08"},
    {"type": "endpoint", "name": "e", "url": "https://example.com/grade", "headers": {"X-Team": "ml"}},
    {
        "type": "multi",
        "name": "m",
        "graders": {"exact": EXACT, "alike": ALIKE | {"evaluation_metric": "bleu"}},
        "calculate_output": "0.8 * exact + 0.2 * alike",
        "invalid_grade": 0,
    },
    {"type": "multi", "name": "m", "graders": [EXACT], "calculate_output": "exact"},
    {"type": "multi", "name": "m", "graders": EXACT, "calculate_output": "exact"},
]
"""OpenAI's graders as its reference, its guide and real clients write them."""


@pytest.fixture(scope="module")
def sums(api: httpx.Client) -> str:
    name: str = upload(api, "studio.jsonl", SUMS)["dataset"]
    return name


@pytest.fixture(scope="module", autouse=True)
def judge(api: httpx.Client) -> None:
    """Named, so that graders may ask it. Nobody is there: nothing here asks."""
    answer = api.post("/api/v1/judges", json={"name": "wise", "base_url": "http://127.0.0.1:9/v1", "model": "wise"})
    assert answer.status_code in (200, 201), answer.text


def part(page: Page, path: str) -> Locator:
    return page.locator(f'article.grader[data-path="{path}"]')


def add(page: Page, kind: str, inside: str = "") -> None:
    adder = part(page, inside).locator("> .parts-and-more > details.adder")
    if adder.get_attribute("open") is None:
        adder.locator("summary").click()
    adder.locator(f"[data-kind={kind}]").click()


def document(page: Page) -> Any:
    """The JSON column, as a person would copy it."""
    return page.evaluate("() => JSON.parse(document.querySelector('json-editor').text)")


def paste(page: Page, text: str) -> None:
    editor = page.locator("grader-builder json-editor .cm-content").first
    editor.click()
    page.keyboard.press("Control+a")
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.keyboard.press("Control+v")


@pytest.fixture
def builder(page: Page) -> Page:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/build/evaluator")
    expect(page.get_by_text("Choose a kind to begin")).to_be_visible()
    return page


def try_on(page: Page, dataset: str) -> None:
    page.get_by_label("Try it on").select_option(label=dataset)


def test_a_nested_reward_is_built_by_clicking_alone_and_its_json_says_so(builder: Page) -> None:
    page = builder
    page.locator("[data-kind=string_check]").click()
    page.get_by_label("Operation", exact=True).select_option("like")
    page.get_by_role("button", name="Add another grader").click()
    add(page, "multi")
    add(page, "number", inside="graders.multi")
    add(page, "repetition", inside="graders.multi")
    part(page, "graders.multi.graders.number").get_by_label("Which number").select_option("first")
    part(page, "graders.multi").get_by_label("repetition", exact=True).fill("0.5")
    name = part(page, "graders.multi").get_by_label("Name in the formula").first
    name.fill("shape")
    name.press("Tab")
    part(page, "").locator("> .formula").get_by_label("shape", exact=True).fill("3")
    part(page, "graders.shape").get_by_role("button", name="Move: repetition", exact=True).press("ArrowUp")
    part(page, "").get_by_role("switch", name="string_check counts").uncheck()
    expect(page.get_by_text("Valid", exact=True)).to_be_visible()
    made = document(page)
    assert made["calculate_output"] == "(string_check + 3 * shape) / 4"
    assert made["disabled"] == ["string_check"]
    assert made["graders"]["string_check"] == {
        "type": "string_check",
        "input": ANSWER,
        "reference": "{{ item.reference }}",
        "operation": "like",
    }
    shape = made["graders"]["shape"]
    assert list(shape["graders"]) == ["repetition", "number"]
    assert shape["graders"]["number"]["pick"] == "first"
    assert shape["calculate_output"] == "(number + 0.5 * repetition) / 1.5"


def test_parts_stay_where_they_were_dragged(builder: Page) -> None:
    page = builder
    graders = dict.fromkeys(("first", "second", "third"), EXACT)
    paste(page, json.dumps({"type": "multi", "graders": graders, "calculate_output": "first"}))
    expect(page.get_by_text("Valid", exact=True)).to_be_visible()
    for name in graders:
        part(page, f"graders.{name}").get_by_role("button", name=f"Details: {name}", exact=True).click()
    part(page, "graders.third").locator(".grip").hover()
    page.mouse.down()
    place = part(page, "graders.first").locator(".grip").bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + 5, place["y"] + 20, steps=8)
    page.mouse.move(place["x"] + 5, place["y"] - 5, steps=8)
    page.mouse.up()
    expect(page.locator("article.grader article.grader").first).to_have_attribute("data-path", "graders.third")
    assert list(document(page)["graders"]) == ["third", "first", "second"]
    save(page, "studio order")
    page.wait_for_url("**/evaluators/studio%20order")
    page.goto("/build/evaluator?from=studio%20order")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert list(document(page)["graders"]) == ["third", "first", "second"]


def test_every_step_is_undone_and_done_again(builder: Page) -> None:
    page = builder
    page.locator("[data-kind=string_check]").click()
    page.get_by_label("Compared with").fill("{{ item.x }}")
    page.get_by_role("button", name="Add another grader").click()
    whole = document(page)
    undo, redo = (page.get_by_role("button", name=name, exact=True) for name in ("Undo", "Redo"))
    undo.click()
    assert document(page)["reference"] == "{{ item.x }}"
    undo.click()
    assert document(page)["reference"] == "{{ item.reference }}"
    undo.click()
    expect(page.get_by_text("Choose a kind to begin")).to_be_visible()
    expect(undo).to_be_disabled()
    for _ in range(3):
        redo.click()
    assert document(page) == whole
    part(page, "graders.string_check").get_by_label("Operation", exact=True).focus()
    page.keyboard.press("Control+z")
    assert document(page)["type"] == "string_check"


def test_every_grader_of_openai_is_pasted_and_opens_as_a_form(builder: Page) -> None:
    page = builder
    for example in EXAMPLES:
        page.locator("json-editor .cm-content").first.fill("")
        expect(page.get_by_text("Choose a kind to begin")).to_be_visible()
        paste(page, json.dumps(example))
        expect(part(page, "").locator("select").first).to_have_value(example["type"])
        expect(page.get_by_text("Valid", exact=True)).to_be_visible()
        expect(page.locator(".grader .foreign")).to_have_count(0)
        shown = document(page)
        if example["type"] == "multi":
            assert shown["graders"]["exact"] == EXACT
            expect(part(page, "graders.exact").get_by_label("Operation", exact=True)).to_have_value("ilike")
        else:
            assert shown == example


def test_what_is_wrong_is_said_at_the_line_and_at_the_field(builder: Page) -> None:
    page = builder
    graders = {"a": EXACT | {"operation": "contains"}}
    paste(page, json.dumps({"type": "multi", "graders": graders, "calculate_output": "b"}, indent=1))
    expect(page.get_by_text("1 thing to mend")).to_be_visible()
    wrong = part(page, "graders.a").locator('.field[data-path="operation"] .help')
    expect(wrong).to_have_text("“contains” is not one of eq, ne, like, ilike; did you mean ilike?")
    expect(page.locator(".cm-lintRange-error, .cm-lint-marker-error").first).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    paste(page, '{"type": "string_check", ')
    expect(page.get_by_text("The JSON is not complete.")).to_be_visible()
    paste(page, json.dumps({"type": "from_the_future", "name": "x", "power": [1, 2]}))
    expect(page.locator(".grader .foreign")).to_contain_text("power")
    assert document(page)["power"] == [1, 2]
    paste(page, json.dumps(EXACT | {"reference": "x" * 1_100_000}))
    expect(page.get_by_text("more than a megabyte")).to_be_visible(timeout=30_000)


def test_own_answers_are_scored_while_the_grader_changes_and_are_only_ever_text(builder: Page) -> None:
    page = builder
    page.locator("[data-kind=text_similarity]").click()
    evil = '<img src=x onerror="window.hacked = true"><script>window.hacked = true</script>'
    page.get_by_label("Answer of the model").fill(evil)
    page.get_by_label("item.reference").fill(evil)
    expect(page.locator(".own-mark")).to_have_text("1")
    page.get_by_role("button", name="Add an answer").click()
    expect(page.locator(".own-mark").last).to_have_text("0")
    page.get_by_label("Metric").select_option("rouge_l")
    expect(page.locator(".own-mark").first).to_have_text("1")
    assert page.evaluate("() => window.hacked") is None


def test_rows_of_a_dataset_are_scored_sorted_and_filtered(builder: Page, sums: str) -> None:
    page = builder
    paste(page, json.dumps(EXACT | {"operation": "like", "reference": "{{ item.missing }}"}))
    try_on(page, sums)
    expect(page.get_by_text("1 thing to mend")).to_be_visible()
    paste(page, json.dumps({"type": "regex", "pattern": "[13579]$", "input": REFERENCE}))
    page.get_by_role("button", name="Score up to 1,000 rows").click()
    expect(page.locator(".summary-card")).to_contain_text("40 rows")
    paste(page, json.dumps({"type": "regex", "pattern": "^1", "input": REFERENCE}))
    page.get_by_role("button", name="Score up to 1,000 rows").click()
    expect(page.locator(".summary-card")).to_contain_text("40 rows")
    page.get_by_label("Order", exact=True).select_option("best")
    expect(page.locator(".trial-row .score").first).to_have_text("1")
    page.get_by_label("Which rows").select_option("zero")
    expect(page.locator(".trial-row .score").first).to_have_text("0")
    page.get_by_role("searchbox").fill('"88"')
    expect(page.locator(".trial-row")).to_have_count(1)
    page.locator(".trial-row summary").first.click()
    expect(page.locator(".trial-row .receipt")).to_be_visible()


def test_the_attack_names_the_trick_that_wins_and_what_helps(builder: Page, sums: str) -> None:
    page = builder
    paste(page, json.dumps(EXACT))
    try_on(page, sums)
    page.get_by_role("button", name="Attack it").click()
    expect(page.get_by_text("Training would find what is marked here.")).to_be_visible()
    page.locator(".attack-row", has_text="thirty times").locator("summary").click()
    expect(page.get_by_text("Add a length or a repetition grader")).to_be_visible()
    page.locator("grader-contrast").get_by_role("button", name="Try it").click()
    expect(page.locator("grader-contrast")).to_contain_text("40 of 40 rows")
    page.get_by_label("Operation", exact=True).select_option("eq")
    expect(page.get_by_text("Valid", exact=True)).to_be_visible()
    page.get_by_role("button", name="Attack it").click()
    expect(page.get_by_text("None of them reaches the right answer.")).to_be_visible()


def test_a_template_fills_in_columns_by_keyboard(builder: Page, sums: str) -> None:
    page = builder
    page.locator("[data-kind=string_check]").click()
    try_on(page, sums)
    field = page.get_by_label("Compared with")
    field.fill("")
    field.press_sequentially("{{ ref")
    suggestions = page.get_by_role("listbox", name="Suggestions")
    expect(suggestions.get_by_role("option").first).to_contain_text("item.reference")
    field.press("Enter")
    expect(field).to_have_value(REFERENCE)
    assert document(page)["reference"] == REFERENCE


def save(page: Page, name: str, note: str = "") -> None:
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_label("What changed (optional)").fill(note)
    expect(page.get_by_text("Valid", exact=True)).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()


def test_two_versions_are_saved_and_their_difference_is_read(builder: Page, sums: str) -> None:
    page = builder
    paste(page, json.dumps({"type": "regex", "name": "r", "pattern": "^1", "input": REFERENCE}))
    save(page, "studio diff", "ones")
    page.wait_for_url("**/evaluators/studio%20diff")
    page.goto("/build/evaluator?from=studio%20diff")
    page.locator('[data-path="pattern"] input, [data-path="pattern"] textarea').fill("^[12]")
    save(page, "studio diff", "ones and twos")
    page.wait_for_url("**/evaluators/studio%20diff")
    page.goto("/evaluators/studio%20diff/compare?left=1&right=2")
    expect(page.locator("main")).to_contain_text("^[12]")
    page.locator("#on").select_option(label=sums)
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("main")).to_contain_text("5 of 40 flip")


def test_two_tabs_that_save_at_once_lose_nothing(builder: Page) -> None:
    page = builder
    paste(page, json.dumps(EXACT))
    save(page, "studio tabs")
    page.wait_for_url("**/evaluators/studio%20tabs")
    other = page.context.new_page()
    for tab in (page, other):
        tab.goto("/build/evaluator?from=studio%20tabs")
    page.get_by_label("Operation", exact=True).select_option("eq")
    save(page, "studio tabs")
    page.wait_for_url("**/evaluators/studio%20tabs")
    other.get_by_label("Operation", exact=True).select_option("like")
    save(other, "studio tabs")
    expect(other.get_by_role("alert")).to_contain_text("2")
    other.get_by_role("button", name="Save mine as the next version").click()
    other.wait_for_url("**/evaluators/studio%20tabs")
    expect(other.locator("main")).to_contain_text("studio tabs@3")
    other.close()


def test_a_grader_goes_out_as_a_file_and_comes_in_again(builder: Page) -> None:
    page = builder
    paste(page, json.dumps(EXACT))
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    page.get_by_label("Operation", exact=True).select_option("eq")
    page.locator("#import-grader").set_input_files(download.value.path())
    expect(page.get_by_label("Operation", exact=True)).to_have_value("ilike")
    assert document(page) == EXACT


def test_work_that_was_not_saved_is_offered_back(builder: Page) -> None:
    page = builder
    page.locator("[data-kind=number]").click()
    page.wait_for_timeout(600)  # it is kept a moment after the last change
    page.reload()
    page.get_by_role("button", name="Restore").click()
    assert document(page)["type"] == "number"
    page.reload()
    page.get_by_role("button", name="Discard").click()
    page.reload()
    expect(page.get_by_text("Choose a kind to begin")).to_be_visible()
    expect(page.get_by_role("button", name="Restore")).to_have_count(0)


def test_an_evaluator_that_cannot_teach_is_warned_of_before_the_job(page: Page, sums: str, api: httpx.Client) -> None:
    api.post("/api/v1/evaluators", json={"name": "always one", "grader": {"type": "regex", "pattern": "."}})
    page.goto("/jobs/new?model=starter-blank")
    field = page.get_by_label("Dataset", exact=True)
    field.select_option(field.locator("option", has_text=sums).first.get_attribute("value") or "")
    page.get_by_label("Reward", exact=True).select_option("always one@1")
    expect(page.locator("job-preview .warnings")).not_to_be_empty()
    page.get_by_role("button", name="Build one here").click()
    page.locator(".own-grader [data-kind=number]").click()
    page.get_by_label("Right number").fill(REFERENCE)
    expect(page.get_by_text("Ready", exact=True)).to_be_visible()
    page.locator("grader-contrast").get_by_role("button", name="Try it").click()
    expect(page.locator("grader-contrast")).to_contain_text("40 of 40 rows")
    expect(page.locator("job-preview .warnings")).to_be_empty()
