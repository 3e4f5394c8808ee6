import { expect, test } from "vitest";

import type { KeyAbout, SeriesAnswer } from "../src/curves";
import { readCurves } from "../src/curves";
import { tilesOf } from "../src/elements/job-live";
import { sentenceFor } from "../src/elements/job-log";

function answer(changes: Partial<SeriesAnswer> = {}): SeriesAnswer {
  return { steps_total: 10, keys: [], points: { reward: [[1, 0.1], [2, 0.2]] }, evaluations: {}, attempts: [], last: 4, ...changes };
}

const metrics = (number: number, step: number, reward: number, at = number): Parameters<ReturnType<typeof readCurves>["take"]>[0] => ({
  number,
  at,
  type: "metrics",
  step,
  values: { reward },
});

test("what is heard continues what was loaded", () => {
  const curves = readCurves(answer());
  curves.take(metrics(5, 3, 0.3));
  expect(curves.metrics.get("reward")).toEqual([[1, 0.1], [2, 0.2], [3, 0.3]]);
  expect(curves.step).toBe(3);
});

test("a step that is heard twice is drawn once", () => {
  const curves = readCurves(answer());
  curves.take(metrics(5, 2, 0.9));
  expect(curves.metrics.get("reward")).toHaveLength(2);
});

test("a new attempt takes away what stood after its checkpoint", () => {
  const curves = readCurves(answer());
  curves.take({ number: 5, at: 5, type: "attempt", from_step: 1 });
  curves.take(metrics(6, 2, 0.5));
  expect(curves.metrics.get("reward")).toEqual([[1, 0.1], [2, 0.5]]);
});

test("the pace is the median of the last steps", () => {
  const curves = readCurves(answer());
  for (const [number, step] of [[5, 3], [6, 4], [7, 5]] as const) curves.take(metrics(number, step, 0, number === 7 ? 100 : number));
  expect(curves.secondsPerStep).toBe(94);
});

test("a key that comes later takes its place in the server's order, which is that of the charts", () => {
  const [reward, entropy, tokens] = ["reward", "entropy", "num_tokens"].map((key) => ({ key, title: key, group: "", about: "", band: null }));
  const curves = readCurves(answer({ keys: [tokens] as KeyAbout[] }));
  curves.name([reward, entropy, tokens] as KeyAbout[]);
  expect([...curves.keys.keys()]).toEqual(["reward", "entropy", "num_tokens"]);
});

test("the tiles say the change since the first value, and the held-out score before training", () => {
  const curves = readCurves(answer({ evaluations: { accuracy: [[0, 0.25], [10, 0.75]] } }));
  const tiles = tilesOf(curves, "running");
  expect(tiles.find(({ name }) => name === "Reward")).toMatchObject({ mood: "good" });
  expect(tiles.find(({ name }) => name === "Held-out accuracy")).toMatchObject({ value: "75%", note: "25% before training" });
});

test("held-out numbers come before those of the training, and a pair's before its margin", () => {
  const points = { loss: [[1, 0.7], [2, 0.5]], "rewards/margins": [[1, 0], [2, 1]], "rewards/accuracies": [[1, 0.5], [2, 1]] } as Record<string, [number, number][]>;
  const curves = readCurves(answer({ points, evaluations: { margin: [[0, 0], [10, 1]], pair_accuracy: [[0, 0.5], [10, 0.9]] } }));
  expect(tilesOf(curves, "running").map(({ name }) => name).slice(0, 5)).toEqual(["Held-out right pairs", "Held-out margin", "Loss", "Right pairs", "Margin"]);
});

test("events read as sentences, and metrics are left to the charts", () => {
  expect(sentenceFor({ number: 1, at: 0, type: "checkpoint", step: 5 })).toBe("Checkpoint of step 5 saved");
  expect(sentenceFor({ number: 1, at: 0, type: "status", to: "succeeded" })).toBe("Succeeded");
  expect(sentenceFor(metrics(1, 1, 0))).toBeNull();
});
