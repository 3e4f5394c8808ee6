/** What the new-job page does to a draft, and what its one button says. Pure. */

import type { Json, JsonObject } from "./path";
import { getAt, isObject, setAt } from "./path";

export interface DraftProblem {
  param: string | null;
  message: string;
  code: string;
  next_step: string | null;
}

export interface Preview {
  method: string;
  model: string;
  rows: number | null;
  held_out_rows: number | null;
  steps: number | null;
  pool: string;
  changed: number;
}

export interface Verdict {
  ready: boolean;
  problems: DraftProblem[];
  preview: Partial<Preview>;
  draft?: JsonObject;
  resolved?: JsonObject;
}

export const REINFORCEMENT = "grpo";

export function methodOf(draft: Json): string {
  return String(getAt(draft, ["method", "type"]) ?? "");
}

/** Another method: settings that both have are kept, the evaluator goes with reinforcement only. */
export function withMethod(draft: JsonObject, method: string, known: readonly string[]): JsonObject {
  const before = getAt(draft, ["method", methodOf(draft)]);
  const hyperparameters = getAt(before, ["hyperparameters"]);
  const kept = isObject(hyperparameters)
    ? Object.fromEntries(Object.entries(hyperparameters).filter(([name]) => known.includes(name)))
    : {};
  const block: JsonObject = Object.keys(kept).length > 0 ? { hyperparameters: kept } : {};
  return { ...draft, method: { type: method, [method]: block } };
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
export function missingIn(draft: Json): Missing {
  if (!getAt(draft, ["model"])) return "model";
  const method = methodOf(draft);
  if (!method) return "method";
  if (!getAt(draft, ["training_file"])) return "dataset";
  const block = getAt(draft, ["method", method]);
  const hasReward = Boolean(getAt(block, ["evaluator"])) || isObject(getAt(block, ["grader"]));
  return method === REINFORCEMENT && !hasReward ? "evaluator" : null;
}

export interface ButtonState {
  label: string;
  enabled: boolean;
}

/** The one button says what is missing, then what it does. */
export function buttonState(draft: Json, verdict: Verdict | null, isSending: boolean): ButtonState {
  if (isSending) return { label: gettext("Creating…"), enabled: false };
  const missing = missingIn(draft);
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
