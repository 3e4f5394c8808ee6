/** <grader-trial>: the grader on one's own answers, on rows of a dataset, or on what a job's model answered. */

import type { ApiError } from "../api";
import { postJson, sentenceOf, wasAborted } from "../api";
import { create, debounce, fill, h } from "../dom";
import { metric, number } from "../format";
import { columnsRead } from "../grader-edits";
import { postLines } from "../ndjson";
import type { Json, JsonObject } from "../path";
import { graderAttack } from "./grader-attack";
import { graderContrast } from "./grader-contrast";
import type { Summary } from "./grader-summary";
import { summaryCard } from "./grader-summary";
import type { OwnSample } from "./trial-samples";
import { TrialSamples } from "./trial-samples";
import type { GradedRow } from "./trial-table";
import { TrialTable } from "./trial-table";

export interface DatasetChoice {
  id: string;
  label: string;
  columns: string[];
}

export interface JobChoice {
  id: string;
  label: string;
}

interface Line {
  done?: number;
  total?: number;
  grades?: GradedRow[];
  summary?: Summary;
}

type Source = { kind: "own" } | { kind: "dataset" | "job"; id: string };

const FIRST_ROWS = 20;
const MANY_ROWS = 1000;
const OWN: Source = { kind: "own" };

export class GraderTrial extends HTMLElement {
  #grader: Json = null;
  #asksOutside = false;
  #datasets: DatasetChoice[] = [];
  #running: AbortController | null = null;
  #source = h("select", { class: "input", id: "trial-source" });
  #own = new TrialSamples(() => this.#changed());
  #run = h("button", { type: "button", class: "button small primary", onclick: () => void this.#try(FIRST_ROWS) }, gettext("Run"));
  #many = h("button", { type: "button", class: "button small", onclick: () => void this.#try(MANY_ROWS) });
  #stop = h("button", { type: "button", class: "button small", hidden: true, onclick: () => this.#running?.abort() }, gettext("Stop"));
  #progress = h("progress", { class: "trial-progress", hidden: true, "aria-label": gettext("Rows scored") });
  #headline = h("p", { class: "trial-summary", "aria-live": "polite" });
  #summary = h("div", { class: "trial-many" });
  #table = new TrialTable();
  #result = h("div", { class: "trial-result" });
  #attack = graderAttack();
  #contrast = graderContrast();
  #isDue = false;
  #soon = debounce(() => {
    if (this.#isDue) void this.#try(FIRST_ROWS);
  }, 200);

  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    this.#source.addEventListener("change", () => this.#showSource());
    fill(this.#many, interpolate(gettext("Score up to %(n)s rows"), { n: number(MANY_ROWS) }, true));
    const field = h("div", { class: "field wide" }, h("label", { for: this.#source.id }, gettext("Try it on")), this.#source);
    fill(this.#result, this.#headline, this.#progress, this.#summary);
    fill(this, field, this.#own.element, h("div", { class: "trial-buttons" }, this.#run, this.#many, this.#stop), this.#result, this.#contrast, this.#attack, this.#table.element);
    this.#showSource();
  }

  /** What it can be tried on. Set once, before the page is used. */
  choices(datasets: DatasetChoice[], jobs: JobChoice[]): void {
    this.#datasets = datasets;
    const group = (label: string, kind: string, choices: { id: string; label: string }[]): HTMLElement | null =>
      choices.length === 0 ? null : h("optgroup", { label }, ...choices.map(({ id, label: name }) => h("option", { value: `${kind}:${id}` }, name)));
    fill(this.#source, h("option", { value: "" }, gettext("My own answers")), group(gettext("Rows of a dataset"), "dataset", datasets), group(gettext("What a job's model answered"), "job", jobs));
  }

  /** Chooses a source by hand of the page, where it is one of the choices. */
  choose(value: string): void {
    if (![...this.#source.options].some((option) => option.value === value)) return;
    this.#source.value = value;
    this.#showSource();
  }

  set samples(samples: OwnSample[]) {
    this.#own.samples = samples;
    this.#source.value = "";
    this.#showSource();
  }

  /** The dataset whose rows are shown, so that the server can name columns that are missing. */
  get chosenDataset(): string | null {
    const source = this.#chosen;
    return source.kind === "dataset" ? source.id : null;
  }

  /** Columns that templates can read: those of the dataset, or of one's own samples. */
  get columns(): string[] {
    const dataset = this.#datasets.find(({ id }) => id === this.chosenDataset);
    return dataset?.columns ?? [...new Set([...this.#own.samples.flatMap(({ item }) => Object.keys(item)), ...this.#datasets.flatMap(({ columns }) => columns)])];
  }

  /** Null while the JSON is not a grader: what is shown is then out of date. */
  take(grader: Json, asksOutside: boolean): void {
    this.#grader = grader;
    this.#asksOutside = asksOutside;
    this.#attack.grader = grader;
    this.#contrast.grader = grader;
    this.#outdate(grader === null);
    this.#showButtons();
    if (grader === null) return;
    this.#own.columns = columnsRead(grader);
    this.#changed();
  }

  get #chosen(): Source {
    const [kind, id] = this.#source.value.split(/:(.*)/s);
    return (kind === "dataset" || kind === "job") && id !== undefined ? { kind, id } : OWN;
  }

  #showSource(): void {
    const isOwn = this.#chosen.kind === "own";
    this.#own.element.hidden = !isOwn;
    this.#result.hidden = isOwn;
    this.#table.element.hidden = isOwn;
    this.#attack.rows = this.chosenDataset;
    this.#contrast.rows = this.chosenDataset;
    this.#table.start();
    fill(this.#summary);
    fill(this.#headline);
    this.#showButtons();
    this.dispatchEvent(new CustomEvent("source"));
    this.#changed();
  }

  #showButtons(): void {
    const isOwn = this.#chosen.kind === "own";
    this.#run.hidden = !this.#asksOutside;
    this.#many.hidden = isOwn || this.#asksOutside;
    for (const button of [this.#run, this.#many]) button.toggleAttribute("disabled", this.#grader === null);
  }

  /** At once, but where somebody has to be asked, and paid, only when it is wanted. */
  #changed(): void {
    this.#running?.abort();
    this.#outdate(this.#table.rows.length > 0);
    this.#isDue = !this.#asksOutside;
    this.#soon();
  }

  async #try(limit: number): Promise<void> {
    const grader = this.#grader;
    this.#isDue = false;
    if (grader === null) return;
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    const source = this.#chosen;
    try {
      if (source.kind === "own") await this.#tryOwn(grader, running.signal);
      else await this.#tryRows(grader, { [source.kind]: source.id, limit }, running.signal);
    } catch (reason) {
      if (!wasAborted(reason)) this.#say(firstError(reason));
    } finally {
      if (this.#running === running) this.#isBusy(false);
    }
  }

  async #tryOwn(grader: Json, signal: AbortSignal): Promise<void> {
    const own = this.#own.samples;
    const body = { grader, samples: own.map(({ sample }) => sample), items: own.map(({ item }) => item) };
    const { grades } = await postJson<{ grades: { grade: JsonObject }[] }>("/api/v1/graders/try", body, signal);
    this.#result.hidden = true;
    this.#own.showGrades(grades.map(({ grade }) => grade));
  }

  async #tryRows(grader: Json, rows: JsonObject, signal: AbortSignal): Promise<void> {
    let isFirst = true;
    this.#isBusy(true);
    for await (const line of postLines<Line>("/api/v1/graders/try/stream", { grader, ...rows }, signal)) {
      if (isFirst) this.#begin();
      isFirst = false;
      if (line.grades !== undefined) this.#arrived(line.grades, line.done ?? 0, line.total ?? 0);
      if (line.summary !== undefined) this.#end(line.summary);
    }
  }

  #outdate(isOld: boolean): void {
    this.#result.classList.toggle("outdated", isOld);
    this.#table.element.classList.toggle("outdated", isOld);
  }

  #begin(): void {
    this.#outdate(false);
    this.#table.start();
    fill(this.#summary);
  }

  #arrived(grades: GradedRow[], done: number, total: number): void {
    this.#table.add(grades);
    this.#progress.max = total;
    this.#progress.value = done;
    const said = interpolate(gettext("%(done)s of %(total)s rows"), { done: number(done), total: number(total) }, true);
    this.#showMean(meanOf(this.#table.rows), said);
  }

  #end(summary: Summary): void {
    this.#table.finish();
    fill(this.#headline);
    if (summary.count > 0) fill(this.#summary, summaryCard(summary, this.#chosen.kind === "dataset"));
    else this.#say(gettext("There are no rows."));
  }

  #showMean(mean: number | null, said: string): void {
    fill(this.#headline, gettext("Mean"), " ", h("strong", { class: "numeric" }, metric(mean)), h("span", { class: "muted" }, said));
  }

  #isBusy(isBusy: boolean): void {
    this.#progress.hidden = !isBusy;
    this.#stop.hidden = !isBusy;
    if (isBusy) this.#progress.removeAttribute("value");
  }

  #say(sentence: string): void {
    this.#result.hidden = false;
    this.#outdate(false);
    fill(this.#headline);
    fill(this.#summary, h("p", { class: "grade-error" }, sentence));
  }
}

function meanOf(rows: readonly GradedRow[]): number | null {
  const scores = rows.map(({ grade }) => grade["score"]).filter((score): score is number => typeof score === "number");
  return scores.length === 0 ? null : scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

function firstError(reason: unknown): string {
  const errors = ((reason as ApiError).body as { errors?: { message: string }[] } | null | undefined)?.errors;
  return errors?.[0]?.message ?? sentenceOf(reason);
}

customElements.define("grader-trial", GraderTrial);

export function graderTrial(): GraderTrial {
  return create<GraderTrial>("grader-trial");
}
