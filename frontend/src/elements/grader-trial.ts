/** <grader-trial>: the grader on one's own answer, or on rows of a dataset. */

import type { ApiError } from "../api";
import { postJson, sentenceOf, wasAborted } from "../api";
import { create, debounce, fill, h } from "../dom";
import { metric, number } from "../format";
import { columnsRead } from "../grader-edits";
import type { Json, JsonObject } from "../path";
import { getAt, isObject, pretty } from "../path";
import { graderAttack } from "./grader-attack";
import type { Summary } from "./grader-summary";
import { summaryCard } from "./grader-summary";

export interface DatasetChoice {
  id: string;
  label: string;
}

interface Graded {
  sample: JsonObject;
  item: JsonObject;
  grade: JsonObject;
}

const ROWS_AT_ONCE = 20;
const MANY_ROWS = 1000;

export class GraderTrial extends HTMLElement {
  #grader: Json = null;
  #running: AbortController | null = null;
  #answer = h("textarea", { class: "input code", id: "trial-answer", rows: 3, spellcheck: "false" });
  #item = h("textarea", { class: "input code", id: "trial-item", rows: 3, spellcheck: "false" });
  #dataset = h("select", { class: "input", id: "trial-dataset" });
  #result = h("div", { class: "trial-result", "aria-live": "polite" });
  #attack = graderAttack();
  #offset = 0;
  #later = debounce(() => void this.#run(), 250);
  #typedItem = false;

  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    this.#item.value = "{}";
    this.#answer.addEventListener("input", this.#later);
    this.#item.addEventListener("input", () => {
      this.#typedItem = true;
      this.#later();
    });
    this.#dataset.addEventListener("change", () => {
      this.#offset = 0;
      this.#showSource();
      void this.#run();
    });
    this.#draw();
  }

  set datasets(datasets: DatasetChoice[]) {
    fill(
      this.#dataset,
      h("option", { value: "" }, gettext("My own answer")),
      ...datasets.map(({ id, label }) => h("option", { value: id }, label)),
    );
  }

  /** The dataset whose rows are shown, so that the server can name columns that are missing. */
  get chosenDataset(): string | null {
    return this.#dataset.value || null;
  }

  /** Null while the JSON is not a grader: the last result is then shown as outdated. */
  set grader(grader: Json) {
    this.#grader = grader;
    this.#attack.grader = grader;
    this.#result.classList.toggle("outdated", grader === null);
    if (grader === null) return;
    this.#suggestItem(grader);
    this.#later();
  }

  #draw(): void {
    const own = h(
      "div",
      { class: "trial-own" },
      labelled(gettext("Answer of the model"), this.#answer, gettext("What a grader reads as sample.output_text.")),
      labelled(gettext("Row of the dataset, as JSON"), this.#item, gettext("What a grader reads as item.…")),
    );
    fill(this, labelled(gettext("Try it on"), this.#dataset, ""), own, this.#result, this.#attack);
    this.#showSource();
  }

  #showSource(): void {
    this.querySelector(".trial-own")?.toggleAttribute("hidden", this.#dataset.value !== "");
    this.#attack.rows = this.chosenDataset;
    this.dispatchEvent(new CustomEvent("source"));
  }

  /** Until someone types a row, it has exactly the columns that the grader reads. */
  #suggestItem(grader: Json): void {
    if (this.#typedItem) return;
    this.#item.value = pretty(Object.fromEntries(columnsRead(grader).map((name) => [name, ""])));
    this.#item.rows = Math.min(8, this.#item.value.split("\n").length);
  }

  async #run(): Promise<void> {
    if (this.#grader === null) return;
    const body = this.#request();
    if (body === null) return this.#say(gettext("The row is not JSON yet."));
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    try {
      const { grades } = await postJson<{ grades: Graded[] }>("/api/v1/graders/try", body, running.signal);
      this.#show(grades);
    } catch (reason) {
      if (!wasAborted(reason)) this.#say(firstError(reason));
    }
  }

  #request(): JsonObject | null {
    const grader = this.#grader;
    if (this.#dataset.value) return { grader, dataset: this.#dataset.value, offset: this.#offset, limit: ROWS_AT_ONCE };
    try {
      const item = JSON.parse(this.#item.value || "{}") as Json;
      return { grader, samples: [{ output_text: this.#answer.value }], items: [item] };
    } catch {
      return null;
    }
  }

  #say(sentence: string): void {
    fill(this.#result, h("p", { class: "empty-line" }, sentence));
  }

  #show(grades: Graded[]): void {
    if (this.#dataset.value === "") return void fill(this.#result, ...grades.map((graded) => wholeGrade(graded.grade)));
    if (grades.length === 0) return this.#say(gettext("No more rows."));
    const scores = grades.map(({ grade }) => grade["score"]).filter((score): score is number => typeof score === "number");
    const mean = scores.length > 0 ? scores.reduce((sum, score) => sum + score, 0) / scores.length : null;
    fill(
      this.#result,
      h("p", { class: "trial-summary" }, gettext("Mean"), " ", h("strong", { class: "numeric" }, metric(mean)), h("span", { class: "muted" }, this.#range(grades.length, grades.length - scores.length))),
      h("p", { class: "help" }, gettext("Each row's own answer or reference is graded as if the model had written it.")),
      h("div", { class: "trial-rows" }, ...grades.map(rowGrade)),
      this.#pages(grades.length),
      this.#manyRows(),
    );
  }

  #range(count: number, failed: number): string {
    const rows = interpolate(gettext("rows %(from)s to %(to)s"), { from: number(this.#offset + 1), to: number(this.#offset + count) }, true);
    const unscored = interpolate(gettext("%(n)s not scored"), { n: failed }, true);
    return failed === 0 ? rows : `${rows} · ${unscored}`;
  }

  /** Mean, histogram and errors of many rows, above the page of rows. */
  async #sumUp(button: HTMLElement, place: HTMLElement): Promise<void> {
    button.setAttribute("aria-busy", "true");
    try {
      const body = { grader: this.#grader, dataset: this.#dataset.value, limit: MANY_ROWS };
      const { summary } = await postJson<{ summary: Summary }>("/api/v1/graders/try", body);
      fill(place, summaryCard(summary));
    } catch (reason) {
      fill(place, h("p", { class: "grade-error" }, firstError(reason)));
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  #manyRows(): HTMLElement {
    const place = h("div", { class: "trial-many", "aria-live": "polite" });
    const label = interpolate(gettext("Score up to %(n)s rows"), { n: number(MANY_ROWS) }, true);
    const button = h("button", { type: "button", class: "button small" }, label);
    button.addEventListener("click", () => void this.#sumUp(button, place));
    return h("div", { class: "trial-many" }, button, place);
  }

  #pages(count: number): HTMLElement {
    const go = (offset: number) => (): void => {
      this.#offset = offset;
      void this.#run();
    };
    return h(
      "div",
      { class: "pager" },
      h("button", { type: "button", class: "button small", disabled: this.#offset === 0, onclick: go(Math.max(0, this.#offset - ROWS_AT_ONCE)) }, gettext("Previous")),
      h("button", { type: "button", class: "button small", disabled: count < ROWS_AT_ONCE, onclick: go(this.#offset + ROWS_AT_ONCE) }, gettext("Next")),
    );
  }
}

function labelled(label: string, input: HTMLElement, help: string): HTMLElement {
  return h("div", { class: "field wide" }, h("label", { for: input.id }, label), input, help ? h("p", { class: "help" }, help) : null);
}

function firstError(reason: unknown): string {
  const errors = ((reason as ApiError).body as { errors?: { message: string }[] } | null | undefined)?.errors;
  return errors?.[0]?.message ?? sentenceOf(reason);
}

function rowGrade(graded: Graded): HTMLElement {
  const answer = String(getAt(graded.sample, ["output_text"]) ?? "");
  const summary = h("summary", {}, scoreMark(graded.grade), h("span", { class: "one-line" }, answer || gettext("(empty answer)")));
  const details = h("details", { class: "trial-row" }, summary);
  details.addEventListener("toggle", () => {
    if (details.childElementCount > 1) return;
    details.append(wholeGrade(graded.grade), h("h5", {}, gettext("Row")), h("pre", { class: "code" }, pretty(graded.item)));
  });
  return details;
}

/** The score with a colour that is also a word for those who do not see it. */
export function scoreMark(grade: JsonObject): HTMLElement {
  const score = grade["score"];
  if (typeof score !== "number") return h("span", { class: "score failed" }, gettext("not scored"));
  const class_ = score >= 1 ? "full" : score <= 0 ? "zero" : "part";
  return h("span", { class: `score ${class_} numeric` }, metric(score));
}

/** What went wrong, in the grader's own words: each flag comes with its details. */
export function errorsIn(grade: JsonObject): string[] {
  const errors = isObject(grade["errors"]) ? grade["errors"] : {};
  const flags = Object.keys(errors).filter((flag) => errors[flag] === true);
  const own = flags.map((flag) => String(errors[`${flag}_details`] ?? flag));
  const inner = subGrades(grade).flatMap(([name, part]) => errorsIn(part).map((message) => `${name}: ${message}`));
  return inner.length > 0 ? inner : own; // a combination repeats what its parts say
}

/** What explains the score, by name, with the names of the parts before what they saw. */
export function evidenceIn(grade: JsonObject): [string, string][] {
  const evidence = isObject(grade["evidence"]) ? grade["evidence"] : {};
  const own = Object.entries(evidence).map(([name, seen]): [string, string] => [name, typeof seen === "string" ? seen.trim() : JSON.stringify(seen)]);
  const inner = subGrades(grade).flatMap(([part, sub]) => evidenceIn(sub).map(([name, seen]): [string, string] => [`${part}.${name}`, seen]));
  return [...own, ...inner];
}

export function subGrades(grade: JsonObject): [string, JsonObject][] {
  const sub = isObject(grade["sub"]) ? grade["sub"] : {};
  return Object.entries(sub).filter((entry): entry is [string, JsonObject] => isObject(entry[1]));
}

function wholeGrade(grade: JsonObject): HTMLElement {
  return h(
    "div",
    { class: "grade" },
    h("div", { class: "grade-total" }, h("span", {}, gettext("Score")), scoreMark(grade)),
    ...subGrades(grade).map(([name, part]) => h("div", { class: "grade-part" }, h("code", {}, name), scoreMark(part))),
    ...errorsIn(grade).map((message) => h("p", { class: "grade-error" }, message)),
    ...evidenceIn(grade).map(([name, seen]) => h("div", { class: "grade-evidence" }, h("code", {}, name), h("span", {}, seen))),
    h("details", { class: "receipt" }, h("summary", {}, gettext("Receipt")), h("pre", { class: "code" }, pretty(grade))),
  );
}

customElements.define("grader-trial", GraderTrial);

export function graderTrial(): GraderTrial {
  return create<GraderTrial>("grader-trial");
}
