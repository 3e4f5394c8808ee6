"""A letter typed into the evaluator builder until it is painted, 50 graders beside one: `python -m benchmarks.builder`.

In a headless Chromium, against a platform of its own. What is aimed at: form, JSON and picture follow within 50 ms. A
trial of one answer, over HTTP as the page asks for it, stands below it.
"""

import json
import statistics
import tempfile
from pathlib import Path
from time import perf_counter

import httpx
from playwright.sync_api import Page, sync_playwright

from scripts import machine
from tests.end_to_end.conftest import FLAGS
from tests.end_to_end.laptop import PASSWORD, PREPARE, USER, up

LETTERS, PAIRS = 20, 5
GRADER = {"type": "text_similarity", "input": "{{ sample.output_text }}", "reference": "{{ item.reference }}"}
TYPE = """async ({ id, letters }) => {
  const field = document.getElementById(id);
  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const times = [];
  field.focus();
  for (let n = 0; n < letters; n += 1) {
    const start = performance.now();
    field.setRangeText("x", field.value.length, field.value.length, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await painted();
    times.push(performance.now() - start);
  }
  return times;
}"""


def combined(count: int) -> dict[str, object]:
    names = [f"g{n}" for n in range(count)]
    return {"type": "multi", "graders": dict.fromkeys(names, GRADER), "calculate_output": " + ".join(names)}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, up(Path(folder)) as laptop, sync_playwright() as playwright:
        laptop.manage("shell", "--no-imports", "--command", PREPARE)
        page = playwright.chromium.launch(executable_path=machine.chromium(), args=FLAGS).new_page(base_url=laptop.url)
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto("/login")
        page.get_by_label("User name").fill(USER)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        pairs = [(typed(page, 1), typed(page, 50)) for _ in range(PAIRS)]
        one, fifty = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(many / single for single, many in pairs)
        print(f"a letter, until it is painted: {one:.0f} ms with 1 grader, {fifty:.0f} ms with 50: {ratio:.1f} times")
        with laptop.api() as api:
            print(f"a trial of one answer: {statistics.median(tried(api) for _ in range(LETTERS)):.0f} ms")


def typed(page: Page, count: int) -> float:
    """Milliseconds a letter, with so many graders unfolded."""
    page.goto("/build/evaluator")
    page.locator("grader-builder input[type=file]").set_input_files(
        {"name": "grader.json", "mimeType": "application/json", "buffer": json.dumps(combined(count)).encode()}
    )
    while page.locator(".fold[aria-expanded=false]").count():
        page.locator(".fold[aria-expanded=false]").first.click()
    page.get_by_text("Valid", exact=True).wait_for()
    field = page.locator('[data-path="graders.g0"] [data-path="reference"] textarea').get_attribute("id")
    times: list[float] = page.evaluate(TYPE, {"id": field, "letters": LETTERS})
    return statistics.median(times)


def tried(api: httpx.Client) -> float:
    """Milliseconds."""
    body = {"grader": combined(3), "samples": [{"output_text": "42"}], "items": [{"reference": "41"}]}
    started = perf_counter()
    api.post("/api/v1/graders/try", json=body).raise_for_status()
    return 1000 * (perf_counter() - started)


if __name__ == "__main__":
    main()
