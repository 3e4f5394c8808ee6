/** The evaluator of a job: a saved one, or one that is built right here; and whether it can teach anything. */

import { postJson, sentenceOf } from "../api";
import { debounce, fill, h } from "../dom";
import type { Known } from "../field";
import type { Reward } from "../job-draft";
import type { Json, JsonObject } from "../path";
import { isObject, same } from "../path";
import type { Schema } from "../schema";
import type { Choice } from "./choice-field";
import { choiceField } from "./choice-field";
import type { Contrast } from "./grader-contrast";
import { graderContrast } from "./grader-contrast";
import type { GraderChange } from "./grader-form";
import { graderForm, readKinds } from "./grader-form";

export interface EvaluatorChoice extends Choice {
  /** Whether grading asks judges or services: it costs, and is never done unasked. */
  asks_outside: boolean;
}

export interface EvaluatorData {
  evaluators: EvaluatorChoice[];
  graders: Schema;
  known: Known;
  new_evaluator_url: string;
}

/** What a draft says of it. */
export interface Chosen {
  evaluator: string | undefined;
  grader: Json | undefined;
}

export class JobEvaluator {
  readonly element = h("div", { class: "job-evaluator" });
  readonly choice: ReturnType<typeof choiceField>;
  #form = graderForm();
  #contrast = graderContrast();
  #name = h("input", { class: "input small", id: "inline-name", maxlength: 64, autocomplete: "off", placeholder: gettext("Name"), "aria-label": gettext("Name") });
  #saved = h("p", { class: "help", role: "status" });
  #tabs: HTMLButtonElement[];
  #ofSaved: HTMLElement;
  #ofOwn: HTMLElement;
  #mode: "saved" | "own" = "saved";
  #chosen: Chosen = { evaluator: undefined, grader: undefined };
  #dataset: string | null = null;
  #isValid = true;
  #tried: Json = null;
  #tryIt = debounce(() => this.#tryUnasked(), 400);

  /** `change` is told what the draft shall say: one of the two, or none. `warn`: what a trial found that a person should know. */
  constructor(
    readonly data: EvaluatorData,
    readonly change: (chosen: Chosen) => void,
    readonly warn: (sentence: string | null) => void,
  ) {
    const help = gettext("What counts as a good answer: its score is what the model learns to raise.");
    this.choice = choiceField({ id: "evaluator", label: gettext("Reward"), help, choices: data.evaluators, empty: null }, (evaluator) => change({ evaluator, grader: undefined }));
    this.#tabs = [this.#tab("saved", gettext("A saved evaluator")), this.#tab("own", gettext("Build one here"))];
    this.#form.known = data.known;
    this.#form.addEventListener("change", (event) => change({ evaluator: undefined, grader: (event as CustomEvent<GraderChange>).detail.grader }));
    const save = h("button", { type: "button", class: "button small", onclick: () => void this.#save() }, gettext("Save it under a name"));
    this.#ofSaved = h("div", {}, this.choice.element, h("p", { class: "part-link" }, h("a", { href: data.new_evaluator_url }, gettext("Open the evaluator builder"))));
    this.#ofOwn = h("div", { class: "own-grader" }, this.#form, h("div", { class: "own-grader-save" }, this.#name, save, this.#saved));
    fill(this.element, h("div", { class: "segmented", role: "group", "aria-label": gettext("Where the evaluator comes from") }, ...this.#tabs), this.#ofSaved, this.#ofOwn, this.#contrast);
    this.#contrast.addEventListener("found", (event) => warn((event as CustomEvent<Contrast>).detail.warning));
    this.#show("saved");
  }

  show(chosen: Chosen, dataset: string | null): void {
    const isNew = !same((this.#chosen.grader ?? null) as Json, (chosen.grader ?? null) as Json) || this.#chosen.evaluator !== chosen.evaluator || this.#dataset !== dataset;
    this.#chosen = chosen;
    this.#dataset = dataset;
    this.choice.show(chosen.evaluator);
    if (isObject(chosen.grader)) this.#show("own");
    else if (chosen.evaluator !== undefined) this.#show("saved");
    if (this.#mode === "own" && this.#form.value !== (chosen.grader ?? null)) this.#form.value = chosen.grader ?? null;
    if (!isNew) return;
    this.warn(null);
    this.#offerTrial();
  }

  /** Columns of the chosen dataset, for completion. */
  set columns(columns: readonly string[]) {
    this.#form.columns = columns;
  }

  /** The words for it: what a reward is to one method is a mere score to another. */
  say(need: Reward): void {
    this.choice.say(
      need === "needed"
        ? { label: gettext("Reward"), help: gettext("What counts as a good answer: its score is what the model learns to raise."), empty: null }
        : { label: gettext("Evaluator"), help: gettext("Scores answers to the held-out rows while the model trains. It does not change what is learned."), empty: gettext("none") },
    );
  }

  /** What is wrong with the grader that is built here, by path inside it. */
  set problems(problems: ReadonlyMap<string, string>) {
    this.#isValid = problems.size === 0;
    this.#form.problems = problems;
    this.#offerTrial();
  }

  #tab(mode: "saved" | "own", label: string): HTMLButtonElement {
    const choose = (): void => {
      this.#show(mode);
      const isOwn = isObject(this.#chosen.grader);
      if (mode === "saved" && isOwn) this.change({ evaluator: undefined, grader: undefined });
      if (mode === "own" && !isOwn) this.change({ evaluator: undefined, grader: undefined });
    };
    return h("button", { type: "button", "aria-pressed": "false", "data-mode": mode, onclick: choose }, label);
  }

  #show(mode: "saved" | "own"): void {
    this.#mode = mode;
    for (const tab of this.#tabs) tab.setAttribute("aria-pressed", String(tab.dataset["mode"] === mode));
    this.#ofSaved.hidden = mode !== "saved";
    this.#ofOwn.hidden = mode !== "own";
    if (mode === "own" && this.#form.childElementCount === 0) this.#form.kinds = readKinds(this.data.graders);
  }

  #offerTrial(): void {
    const grader = this.#chosen.evaluator ?? (isObject(this.#chosen.grader) && this.#isValid ? this.#chosen.grader : null);
    this.#contrast.grader = grader;
    this.#contrast.rows = grader === null ? null : this.#dataset;
    if (this.#chosen.evaluator !== undefined && this.#dataset !== null) this.#tryIt();
  }

  /** A saved evaluator that costs nothing is tried as soon as there are rows. */
  #tryUnasked(): void {
    const choice = this.data.evaluators.find(({ value }) => value === this.#chosen.evaluator);
    const tried = [this.#chosen.evaluator ?? null, this.#dataset];
    if (choice === undefined || choice.asks_outside || same(tried, this.#tried)) return;
    this.#tried = tried;
    void this.#contrast.run();
  }

  async #save(): Promise<void> {
    const name = this.#name.value.trim();
    if (name === "" || !isObject(this.#chosen.grader)) return this.#name.focus();
    try {
      const saved = await postJson<{ ref: string }>("/api/v1/evaluators", { name, grader: this.#chosen.grader as JsonObject, base: 0 });
      fill(this.#saved, interpolate(gettext("Saved as %(ref)s."), { ref: saved.ref }, true));
      this.change({ evaluator: saved.ref, grader: undefined });
    } catch (reason) {
      fill(this.#saved, sentenceOf(reason));
    }
  }
}
