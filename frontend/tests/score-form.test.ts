import { afterEach, beforeEach, expect, test, vi } from "vitest";

import "../src/elements/score-form";
import { wholeGrade } from "../src/elements/grade-card";

const NASTY = "<img src=x onerror=alert(1)>";

function asked(...answers: Response[]) {
  const fetched = vi.fn((_url: string, _about: RequestInit) => Promise.resolve(answers.shift() ?? new Response("null", { status: 500 })));
  vi.stubGlobal("fetch", fetched);
  document.body.innerHTML = `<score-form model="taste"><form><textarea name="prompt">1+1=</textarea><textarea name="answer"></textarea><button>Score</button><output></output></form></score-form>`;
  const form = document.querySelector("form")!;
  form.querySelector<HTMLTextAreaElement>('[name="answer"]')!.value = NASTY;
  form.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  return { fetched, told: form.querySelector("output")! };
}

function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

beforeEach(() => document.body.replaceChildren());
afterEach(() => vi.unstubAllGlobals());

test("one answer is asked about, and its score shown", async () => {
  const { fetched, told } = asked(json({ data: [{ score: -1.23456 }], usage: { prompt_tokens: 9 } }));
  await vi.waitFor(() => expect(told.querySelector("strong")?.textContent).toBe("−1.235"));
  expect(told.textContent).toContain("9 tokens read");
  const [url, about] = fetched.mock.calls[0]!;
  expect(url).toBe("/api/v1/scores");
  expect(JSON.parse(String(about.body))).toEqual({ model: "taste", input: [{ prompt: "1+1=", answer: NASTY }] });
});

test("a model that is being loaded is asked again", async () => {
  const loading = json({ error: { code: "deployment.loading", message: "…" } }, 503, { "retry-after": "0" });
  const { fetched, told } = asked(loading, json({ data: [{ score: 2 }], usage: { prompt_tokens: 1 } }));
  await vi.waitFor(() => expect(told.querySelector("strong")?.textContent).toBe("2"));
  expect(fetched).toHaveBeenCalledTimes(2);
  expect(told.textContent).toContain("1 token read");
});

test.each([
  [json({ data: [{ score: null, error: { message: `Too long: ${NASTY}`, next_step: "Shorten it." } }], usage: { prompt_tokens: 9 } })],
  [json({ error: { message: `Too long: ${NASTY}`, next_step: "Shorten it." } }, 400)],
])("what cannot be scored says why, as text", async (answer) => {
  const { told } = asked(answer);
  await vi.waitFor(() => expect(told.querySelector(".grade-error")?.textContent).toBe(`Too long: ${NASTY} Shorten it.`));
  expect(told.querySelector("img")).toBeNull();
});

test("addresses of this platform in a receipt can be clicked, and no others", () => {
  const own = `${location.origin}/deployments/new?model=a%2Fb`;
  const details = `Deploy it: ${own} and not https://evil.example/x`;
  const card = wholeGrade({ score: null, errors: { model_grader_server_error: true, model_grader_server_error_details: details } });
  const links = [...card.querySelectorAll("a")].map((link) => link.getAttribute("href"));
  expect(links).toEqual([own]);
  expect(card.querySelector(".grade-error")?.textContent).toBe(details);
});
