/** <grader-attack>: answers that are no answers, tried on rows of a dataset: which of them the grader pays for. */

import { postJson, sentenceOf, wasAborted } from "../api";
import { create, fill, h } from "../dom";
import { metric, number } from "../format";
import type { Json } from "../path";

interface Trick {
  name: string;
  title: string;
  advice: string;
  tried: number;
  wins: number;
  mean: number | null;
  right_mean: number | null;
  example: { row: number; answer: string; score: number; right_score: number } | null;
}

interface Outcome {
  rows: number;
  holds: boolean;
  tricks: Trick[];
}

export class GraderAttack extends HTMLElement {
  #grader: Json = null;
  #dataset: string | null = null;
  #running: AbortController | null = null;
  #button = h("button", { type: "button", class: "button small", onclick: () => void this.#run() }, gettext("Attack it"));
  #result = h("div", { class: "attack-result", "aria-live": "polite" });

  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    const why = gettext("Empty, repeated, endless and copied answers must score below the right one. Training finds every one that does not.");
    fill(this, h("div", { class: "attack-head" }, h("h3", {}, gettext("Can it be gamed?")), this.#button), h("p", { class: "help" }, why), this.#result);
    this.#refresh();
  }

  /** Null while the JSON is not a grader: what was found is then out of date. */
  set grader(grader: Json) {
    this.#grader = grader;
    this.#refresh();
  }

  /** The dataset whose rows are attacked; none, and there is nothing to see. */
  set rows(dataset: string | null) {
    this.#dataset = dataset;
    fill(this.#result);
    this.#refresh();
  }

  #refresh(): void {
    this.hidden = this.#dataset === null;
    this.#button.toggleAttribute("disabled", this.#grader === null);
    this.#result.classList.toggle("outdated", this.#result.childElementCount > 0);
  }

  async #run(): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#button.setAttribute("aria-busy", "true");
    try {
      const body = { grader: this.#grader, dataset: this.#dataset };
      this.#show(await postJson<Outcome>("/api/v1/graders/attack", body, running.signal));
    } catch (reason) {
      if (!wasAborted(reason)) fill(this.#result, h("p", { class: "grade-error" }, sentenceOf(reason)));
    } finally {
      this.#button.removeAttribute("aria-busy");
    }
  }

  #show(outcome: Outcome): void {
    this.#result.classList.remove("outdated");
    if (outcome.tricks.every(({ tried }) => tried === 0)) {
      fill(this.#result, h("p", { class: "empty-line" }, gettext("These rows hold no right answer to compare with, or nothing was scored.")));
      return;
    }
    const verdict = outcome.holds ? gettext("None of them reaches the right answer.") : gettext("Training would find what is marked here.");
    fill(this.#result, h("p", { class: outcome.holds ? "attack-verdict good" : "attack-verdict bad" }, verdict), ...outcome.tricks.filter(({ tried }) => tried > 0).map(trickRow));
  }
}

function trickRow(trick: Trick): HTMLElement {
  const said = interpolate(gettext("%(wins)s of %(tried)s rows"), { wins: number(trick.wins), tried: number(trick.tried) }, true);
  const mark = h("span", { class: trick.wins > 0 ? "score failed" : "score full" }, trick.wins > 0 ? said : gettext("holds"));
  if (trick.example === null) return h("div", { class: "attack-row" }, h("span", {}, trick.title), mark);
  const { row, answer, score, right_score } = trick.example;
  const scores = interpolate(gettext("Row %(row)s: it scored %(score)s, the right answer %(right)s."), { row: number(row + 1), score: metric(score), right: metric(right_score) }, true);
  return h(
    "details",
    { class: "attack-row" },
    h("summary", {}, h("span", {}, trick.title), mark),
    h("p", {}, trick.advice),
    h("p", { class: "help" }, scores),
    h("pre", { class: "code" }, answer || gettext("(empty answer)")),
  );
}

customElements.define("grader-attack", GraderAttack);

export function graderAttack(): GraderAttack {
  return create<GraderAttack>("grader-attack");
}
