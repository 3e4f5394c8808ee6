/** What the new-job page does to a draft, and what its one button says. Pure. */

import type { Json, JsonObject } from "./path";
import { getAt, isObject, setAt } from "./path";

export interface DraftProblem {
  param: string | null;
  message: string;
  code: string;
  next_step: string | null;
}

export type Fit = "fits" | "tight" | "too_big";

/** How long the work takes. `jobs`: past ones that it is told from; none is a first guess. */
export interface Time {
  seconds: number;
  low_s: number;
  high_s: number;
  jobs: number;
  error: number | null;
}

/** `price`: of an hour of a machine. */
export interface Cost {
  low: number;
  high: number;
  price: number;
  currency: string;
}

export interface Preview {
  method: string;
  model: string;
  rows: number | null;
  held_out_rows: number | null;
  steps: number | null;
  memory_gb: number | null;
  pool: string;
  pool_memory_gb: number | null;
  memory_error: number | null;
  memory_jobs: number;
  time: Time | null;
  cost: Cost | null;
  fit: Fit | null;
  changed: number;
}

export interface Verdict {
  ready: boolean;
  problems: DraftProblem[];
  preview: Partial<Preview>;
  /** What a person should know and may still want. */
  warnings?: DraftProblem[];
  draft?: JsonObject;
  resolved?: JsonObject;
}

/** What an evaluator is to a method: needed to learn, wanted to score held-out answers, or of no use. */
export type Reward = "needed" | "optional" | "none";

export function methodOf(draft: Json): string {
  return String(getAt(draft, ["method", "type"]) ?? "");
}

/** Another method: what both know is kept. `known` tells it of a path inside the block. */
export function withMethod(draft: JsonObject, method: string, known: (path: string[]) => boolean): JsonObject {
  const before = getAt(draft, ["method", methodOf(draft)]);
  const { hyperparameters, ...rest } = isObject(before) ? before : {};
  const block = keep(rest, (name) => known([name]));
  const kept = isObject(hyperparameters) ? keep(hyperparameters, (name) => known(["hyperparameters", name])) : {};
  if (Object.keys(kept).length > 0) block["hyperparameters"] = kept;
  return { ...draft, method: { type: method, [method]: block } };
}

function keep(document: JsonObject, isWanted: (name: string) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(document).filter(([name]) => isWanted(name)));
}

/** Empty objects say nothing: they are left out of the JSON that the page shows. */
export function tidy(draft: JsonObject): JsonObject {
  const method = methodOf(draft);
  const path = ["method", method, "hyperparameters"];
  const hyperparameters = getAt(draft, path);
  let tidied: Json = draft;
  if (isObject(hyperparameters) && Object.keys(hyperparameters).length === 0) tidied = setAt(tidied, path, undefined);
  if (isObject(tidied) && isObject(tidied["resources"]) && Object.keys(tidied["resources"]).length === 0) {
    tidied = setAt(tidied, ["resources"], undefined);
  }
  return tidied as JsonObject;
}

export type Missing = "model" | "method" | "dataset" | "evaluator" | null;

/** The first choice that has not been made yet. */
export function missingIn(draft: Json, reward: Reward): Missing {
  if (!getAt(draft, ["model"])) return "model";
  const method = methodOf(draft);
  if (!method) return "method";
  if (!getAt(draft, ["training_file"])) return "dataset";
  return reward === "needed" && !hasReward(draft) ? "evaluator" : null;
}

/** Whether something scores the model's answers: an evaluator that was saved, or a grader in the draft itself. */
export function hasReward(draft: Json): boolean {
  const block = getAt(draft, ["method", methodOf(draft)]);
  return Boolean(getAt(block, ["evaluator"])) || isObject(getAt(block, ["grader"]));
}

export interface ButtonState {
  label: string;
  enabled: boolean;
}

/** The one button says what is missing, then what it does. */
export function buttonState(draft: Json, reward: Reward, verdict: Verdict | null, isSending: boolean): ButtonState {
  if (isSending) return { label: gettext("Creating…"), enabled: false };
  const missing = missingIn(draft, reward);
  if (missing === "model") return { label: gettext("Choose a model"), enabled: false };
  if (missing === "method") return { label: gettext("Choose a method"), enabled: false };
  if (missing === "dataset") return { label: gettext("Choose a dataset"), enabled: false };
  if (missing === "evaluator") return { label: gettext("Choose an evaluator"), enabled: false };
  if (verdict === null) return { label: gettext("Checking…"), enabled: false };
  if (!verdict.ready) {
    const n = Math.max(1, verdict.problems.length);
    return { label: interpolate(ngettext("%(n)s thing to mend", "%(n)s things to mend", n), { n }, true), enabled: false };
  }
  return { label: gettext("Create job"), enabled: true };
}

/** `a.b.c` below `a.b` is `c`; null when the path leads elsewhere. */
export function below(param: string, prefix: string): string | null {
  return param.startsWith(`${prefix}.`) ? param.slice(prefix.length + 1) : null;
}
