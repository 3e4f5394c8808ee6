import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Piece, Waiting } from "../src/chat/ask";
import { ask } from "../src/chat/ask";
import type { Thread, Turn } from "../src/chat/thread";
import { MANNER, promptOf, samplingOf, settle, stored } from "../src/chat/thread";
import { voteOf } from "../src/chat/vote-bar";

const QUESTION = { model: "tiny", messages: [], sampling: {}, withProbabilities: true };

function turn(message: string, ...texts: string[]): Turn {
  return { message, answers: texts.map((text) => ({ model: "tiny", text, finish: "stop", written: null })), goes_on: 0 };
}

function threadOf(...turns: Turn[]): Thread {
  return { models: ["tiny"], manner: { ...MANNER }, turns };
}

function streamed(...parts: string[]): Response {
  const bytes = new TextEncoder();
  const body = new ReadableStream({ start: (to) => (parts.forEach((part) => to.enqueue(bytes.encode(part))), to.close()) });
  return { ok: true, status: 200, body, headers: new Headers() } as unknown as Response;
}

function refused(code: string, status = 503): Response {
  const error = { message: `refused: ${code}`, code, next_step: "Wait." };
  return { ok: false, status, body: null, headers: new Headers({ "retry-after": "3" }), json: () => Promise.resolve({ error }) } as unknown as Response;
}

async function all(signal = new AbortController().signal, wait: (waiting: Waiting) => void = () => undefined): Promise<Piece[]> {
  const found: Piece[] = [];
  for await (const piece of ask(QUESTION, signal, wait)) found.push(piece);
  return found;
}

beforeEach(() => void vi.useFakeTimers());

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("both models read the answer that the conversation goes on with", () => {
  const second = { ...turn("And?", "a", "b"), goes_on: 1 };
  const thread = threadOf(turn("Hi", "Hello"), second, turn("So?"));
  thread.manner.system = "Be brief.";
  expect(promptOf(thread, 2).map(({ role, content }) => `${role}: ${content}`)).toEqual(["system: Be brief.", "user: Hi", "assistant: Hello", "user: And?", "assistant: b", "user: So?"]);
});

test("a message that was never answered is left out of the next prompt", () => {
  expect(promptOf(threadOf(turn("Lost", " "), turn("Now")), 1)).toEqual([{ role: "user", content: "Now" }]);
});

test("what is empty is left to the model", () => {
  expect(samplingOf(MANNER)).toEqual({ temperature: 1, top_p: 1 });
  expect(samplingOf({ ...MANNER, seed: 0, max_tokens: 5 })).toEqual({ temperature: 1, top_p: 1, seed: 0, max_tokens: 5 });
});

test("the conversation goes on with the answer that says something", () => {
  const one = turn("Hi", "", "Hello");
  settle(one);
  expect(one.goes_on).toBe(1);
  expect(stored(threadOf({ ...turn("Hi"), goes_on: 1 })).turns[0]?.goes_on).toBe(0);
});

test("an answer is read however its lines are cut", async () => {
  const line = (text: string): string => `data: ${JSON.stringify({ choices: [{ delta: { content: text }, logprobs: { content: [{ token: text, logprob: -1, top_logprobs: [] }] } }] })}\n\n`;
  const whole = line("zwölf") + line("!") + 'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n';
  vi.stubGlobal("fetch", () => Promise.resolve(streamed(whole.slice(0, 7), whole.slice(7, 40), whole.slice(40))));
  const found = await all();
  expect(found.map(({ text }) => text).join("")).toBe("zwölf!");
  expect(found[0]?.told[0]?.token).toBe("zwölf");
  expect(found.at(-1)?.finish).toBe("stop");
});

test("a model that is being loaded is asked again, and the seconds are told", async () => {
  const answers = [refused("deployment.loading"), refused("server.stopping"), streamed("data: [DONE]\n\n")];
  const looked: string[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    if (url.startsWith("/chat/standing")) return Promise.resolve((looked.push(url), { ok: true, json: () => Promise.resolve({ status: "loading" }) }));
    return Promise.resolve(answers.shift());
  });
  const told: Waiting[] = [];
  const done = all(undefined, (waiting) => void told.push(waiting));
  await vi.advanceTimersByTimeAsync(7000);
  expect(await done).toEqual([]);
  expect(looked[0]).toBe("/chat/standing?model=tiny");
  expect(told.at(-1)).toMatchObject({ status: "loading", seconds: 6 });
});

test("what does not pass by itself is said at once, and so is what breaks in the midst", async () => {
  vi.stubGlobal("fetch", () => Promise.resolve(refused("completion.too_long", 400)));
  await expect(all()).rejects.toThrow("refused: completion.too_long");
  vi.stubGlobal("fetch", () => Promise.resolve(streamed('data: {"error": {"message": "The engine is lost", "code": "engine.lost"}}\n\n')));
  await expect(all()).rejects.toThrow("The engine is lost");
});

test("who stops while a model is loaded waits no longer", async () => {
  vi.stubGlobal("fetch", () => Promise.resolve(refused("deployment.loading")));
  const controller = new AbortController();
  const done = all(controller.signal);
  const caught = expect(done).rejects.toMatchObject({ name: "AbortError" });
  await vi.advanceTimersByTimeAsync(500);
  controller.abort();
  await caught;
});

test("keys vote where nobody types, and with Alt where somebody does", () => {
  const press = (target: HTMLElement, key: string, more: KeyboardEventInit = {}): string | null => {
    let found: string | null = null;
    target.addEventListener("keydown", (event) => void (found = voteOf(event)), { once: true });
    target.dispatchEvent(new KeyboardEvent("keydown", { key, ...more }));
    return found;
  };
  const [page, area] = [document.createElement("div"), document.createElement("textarea")];
  expect(["1", "2", "3", "4", "ArrowLeft", "ArrowDown", "x"].map((key) => press(page, key))).toEqual(["first", "second", "tie", "both_bad", "first", "both_bad", null]);
  expect([press(area, "1"), press(area, "1", { altKey: true }), press(area, "ArrowLeft", { altKey: true })]).toEqual([null, "first", null]);
  expect(press(page, "1", { ctrlKey: true })).toBeNull();
});
