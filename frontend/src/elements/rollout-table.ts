/** <rollout-table job="…">: what the model answered, with its grade. Every text is text, never markup. */

import { getJson, sentenceOf } from "../api";
import { fill, h } from "../dom";
import { metric, number } from "../format";
import { JobStream } from "../job-stream";
import type { JsonObject } from "../path";
import { getAt, pretty } from "../path";
import { copyButton } from "./copy-button";
import { errorsIn, subGrades } from "./grade-card";
import { pager } from "./pager";

export interface Rollout {
  step: number;
  prompt: string;
  completion: string;
  item: JsonObject;
  reward: number | null;
  advantage: number | null;
  truncated: boolean;
  grade: JsonObject;
}

interface Page {
  rows: Rollout[];
  steps: number[];
  total: number;
}

const PER_PAGE = 20;

export class RolloutTable extends HTMLElement {
  #job = "";
  #offset = 0;
  #step = h("select", { class: "input small", "aria-label": gettext("Step") });
  #order = h("select", { class: "input small", "aria-label": gettext("Order") });
  #body = h("div", { class: "rollouts", "aria-live": "polite" });
  #panel = h("dialog", { class: "side-panel" });
  #isStale = h("button", { type: "button", class: "button small", hidden: true }, gettext("Show new rollouts"));

  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    this.#job = this.getAttribute("job") ?? "";
    const orders = { newest: gettext("Newest first"), worst: gettext("Worst first"), best: gettext("Best first") };
    this.#order.append(...Object.entries(orders).map(([value, label]) => h("option", { value }, label)));
    for (const select of [this.#step, this.#order]) select.addEventListener("change", () => this.#restart());
    this.#isStale.addEventListener("click", () => this.#restart());
    this.#panel.addEventListener("click", (event) => {
      if (event.target === this.#panel) this.#panel.close();
    });
    this.append(h("div", { class: "table-bar" }, this.#step, this.#order, this.#isStale), this.#body, this.#panel);
    JobStream.of(this.#job).listen(Number(this.getAttribute("after") ?? 0), (event) => {
      if (event.type === "rollouts") this.#arrived();
    });
    void this.#load();
  }

  /** A page that somebody reads is not changed under their eyes. */
  #arrived(): void {
    if (this.#body.querySelector("tbody tr") === null) void this.#load();
    else this.#isStale.hidden = false;
  }

  #restart(): void {
    this.#offset = 0;
    this.#isStale.hidden = true;
    void this.#load();
  }

  async #load(): Promise<void> {
    const query = new URLSearchParams({ order: this.#order.value, limit: String(PER_PAGE), offset: String(this.#offset) });
    if (this.#step.value) query.set("step", this.#step.value);
    try {
      this.#show(await getJson<Page>(`/api/v1/jobs/${this.#job}/rollouts?${query}`));
    } catch (reason) {
      fill(this.#body, h("p", { class: "empty-line error" }, sentenceOf(reason)));
    }
  }

  #show({ rows, steps, total }: Page): void {
    const chosen = this.#step.value;
    const options = steps.map((step) => h("option", { value: step }, interpolate(gettext("Step %(n)s"), { n: number(step) }, true)));
    fill(this.#step, h("option", { value: "" }, gettext("All steps")), ...options);
    this.#step.value = chosen;
    if (rows.length === 0) return void fill(this.#body, h("p", { class: "empty-line" }, gettext("The model's answers appear here after the first steps.")));
    const parts = partNames(rows);
    const head = [gettext("Step"), gettext("Prompt"), gettext("Completion"), ...parts, gettext("Reward"), gettext("Advantage"), ""];
    const numeric = (name: string): boolean => ![gettext("Prompt"), gettext("Completion"), ""].includes(name);
    const table = h(
      "table",
      { class: "table rollout-grid" },
      h("thead", {}, h("tr", {}, ...head.map((name) => h("th", { scope: "col", class: numeric(name) ? "right" : "" }, name)))),
      h("tbody", {}, ...rows.map((row) => this.#row(row, parts))),
    );
    const go = (offset: number): void => {
      this.#offset = offset;
      void this.#load();
    };
    fill(this.#body, h("div", { class: "table-wrap" }, table), pager(this.#offset, PER_PAGE, total, go));
  }

  #row(row: Rollout, parts: string[]): HTMLTableRowElement {
    const text = (value: string): HTMLElement => h("td", { class: "clip" }, h("span", { class: "one-line" }, value));
    const link = h("button", { type: "button", class: "link one-line" }, row.completion || gettext("(empty answer)"));
    return h(
      "tr",
      { class: errorsIn(row.grade).length > 0 ? "is-failed" : "", onclick: () => this.#open(row) },
      h("td", { class: "right numeric" }, number(row.step)),
      text(row.prompt),
      h("td", { class: "clip" }, link),
      ...parts.map((name) => h("td", { class: "right numeric" }, metric(partScore(row.grade, name)))),
      h("td", { class: "right numeric strong" }, metric(row.reward)),
      h("td", { class: "right numeric" }, metric(row.advantage)),
      h("td", { class: "marks" }, ...marks(row)),
    );
  }

  #open(row: Rollout): void {
    const builder = this.getAttribute("builder");
    const open = builder === null ? null : h("button", { type: "button", class: "button small", onclick: () => openInBuilder(builder, row) }, gettext("Try it in the builder"));
    const close = h("button", { type: "button", class: "button ghost small", onclick: () => this.#panel.close() }, gettext("Close"));
    const part = (title: string, text: string, className = ""): HTMLElement =>
      h("section", {}, h("div", { class: "panel-head" }, h("h4", {}, title), copyButton(() => text)), h("pre", { class: `code wrap ${className}` }, text));
    const facts: [string, string][] = [[gettext("Reward"), metric(row.reward)], [gettext("Advantage"), metric(row.advantage)]];
    fill(
      this.#panel,
      h("header", { class: "panel-title" }, h("h3", {}, interpolate(gettext("Rollout of step %(n)s"), { n: number(row.step) }, true)), ...marks(row), open, close),
      h("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", { class: "numeric" }, value)])),
      ...errorsIn(row.grade).map((message) => h("p", { class: "grade-error" }, message)),
      part(gettext("Prompt"), row.prompt),
      part(gettext("Completion"), row.completion),
      part(gettext("Receipt"), pretty(row.grade)),
      part(gettext("Row of the dataset"), pretty(row.item)),
    );
    this.#panel.showModal();
  }
}

function marks(row: Rollout): HTMLElement[] {
  const found: HTMLElement[] = [];
  if (row.truncated) found.push(h("span", { class: "badge waiting" }, gettext("truncated")));
  if (row.reward === null || errorsIn(row.grade).length > 0) found.push(h("span", { class: "badge bad" }, gettext("error")));
  return found;
}

/** The builder with this answer as a sample, to see why it scored what it scored and to mend the grader. */
function openInBuilder(url: string, { completion, item }: Rollout): void {
  sessionStorage.setItem("whetstone.samples", JSON.stringify([{ sample: { output_text: completion }, item }]));
  location.assign(url);
}

/** Names of the sub-grades that any of the rows has, in their order. */
export function partNames(rows: readonly Rollout[]): string[] {
  return [...new Set(rows.flatMap(({ grade }) => subGrades(grade).map(([name]) => name)))];
}

export function partScore(grade: JsonObject, name: string): number | null {
  const score = getAt(grade, ["sub", name, "score"]);
  return typeof score === "number" ? score : null;
}

customElements.define("rollout-table", RolloutTable);
