import { afterEach, beforeEach, expect, test, vi } from "vitest";

import "../src/elements/job-live";
import { JobStream } from "../src/job-stream";

const SERIES = { steps_total: 10, keys: [], points: {}, evaluations: {}, attempts: [], last: 4 };
let asked: string[] = [];

beforeEach(() => {
  asked = [];
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", EventTarget);
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    return Promise.resolve({ ok: true, json: () => Promise.resolve(SERIES), text: () => Promise.resolve('<aside id="aside" data-refresh>best</aside>') });
  });
  document.body.innerHTML = '<job-live job="ftjob-1" status="running" phase="training" after="4"></job-live><aside id="aside" data-refresh>none is best yet</aside>';
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

async function hear(type: string, number: number): Promise<string | null | undefined> {
  JobStream.of("ftjob-1").dispatchEvent(new CustomEvent("job", { detail: { type, number, at: number, step: 5, values: { loss: 1 } } }));
  await vi.advanceTimersByTimeAsync(1000);
  return document.getElementById("aside")?.textContent;
}

test("an evaluation that comes after its checkpoint moves the badge of the best", async () => {
  expect(await hear("evaluation", 5)).toBe("best");
});

test("a step's metrics draw nothing of the server's anew", async () => {
  expect(await hear("metrics", 6)).toBe("none is best yet");
  expect(asked.filter((url) => !url.includes("/api/"))).toEqual([]);
});
