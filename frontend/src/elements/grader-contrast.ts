/** <grader-contrast>: does the grader tell right answers from wrong ones? Without that, training has nothing to learn from. */

import { postJson, sentenceOf, wasAborted } from "../api";
import { create, fill, h } from "../dom";
import { metric, number } from "../format";
import type { Json } from "../path";
import type { Summary } from "./grader-summary";

export interface Contrast {
  rows: number;
  right: Summary;
  wrong: Summary | null;
  told_apart: number;
  ties: number;
  inverted: number;
  distinct: number;
  warning: string | null;
}

export class GraderContrast extends HTMLElement {
  /** The grader's JSON, or the name of an evaluator. */
  #grader: Json = null;
  #dataset: string | null = null;
  #running: AbortController | null = null;
  #button = h("button", { type: "button", class: "button small", onclick: () => void this.run() }, gettext("Try it"));
  #result = h("div", { class: "attack-result", "aria-live": "polite" });

  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    const why = gettext("Each row's right answer, and the right answer of another row: the second must score less.");
    fill(this, h("div", { class: "attack-head" }, h("h3", {}, gettext("Does it tell right from wrong?")), this.#button), h("p", { class: "help" }, why), this.#result);
    this.#refresh();
  }

  /** Null while the JSON is not a grader: what was found is then out of date. */
  set grader(grader: Json) {
    this.#grader = grader;
    this.#refresh();
  }

  /** The dataset whose rows are tried; none, and there is nothing to see. */
  set rows(dataset: string | null) {
    if (dataset !== this.#dataset) fill(this.#result);
    this.#dataset = dataset;
    this.#refresh();
  }

  #refresh(): void {
    this.hidden = this.#dataset === null;
    this.#button.toggleAttribute("disabled", this.#grader === null);
    this.#result.classList.toggle("outdated", this.#result.childElementCount > 0);
  }

  async run(): Promise<void> {
    if (this.#grader === null || this.#dataset === null) return;
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#button.setAttribute("aria-busy", "true");
    const which = typeof this.#grader === "string" ? { evaluator: this.#grader } : { grader: this.#grader };
    try {
      const found = await postJson<Contrast>("/api/v1/graders/contrast", { ...which, dataset: this.#dataset }, running.signal);
      fill(this.#result, ...told(found));
      this.#result.classList.remove("outdated");
      this.dispatchEvent(new CustomEvent<Contrast>("found", { detail: found }));
    } catch (reason) {
      if (!wasAborted(reason)) fill(this.#result, h("p", { class: "grade-error" }, sentenceOf(reason)));
    } finally {
      this.#button.removeAttribute("aria-busy");
    }
  }
}

function told(found: Contrast): HTMLElement[] {
  const tried = found.told_apart + found.ties + found.inverted;
  const means: [string, string][] = [[gettext("Mean of right answers"), metric(found.right.mean)]];
  if (found.wrong !== null) means.push([gettext("Mean of wrong answers"), metric(found.wrong.mean)]);
  const facts = h("dl", { class: "facts" }, ...means.flatMap(([name, value]) => [h("dt", {}, name), h("dd", { class: "numeric" }, value)]));
  const line = interpolate(gettext("The right answer scores more in %(n)s of %(tried)s rows."), { n: number(found.told_apart), tried: number(tried) }, true);
  const verdict = tried === 0 ? null : h("p", { class: found.warning === null ? "attack-verdict good" : "attack-verdict bad" }, line);
  const warning = found.warning === null ? null : h("p", { class: "grade-error" }, found.warning);
  return [verdict, warning, facts].filter((part) => part !== null);
}

customElements.define("grader-contrast", GraderContrast);

export function graderContrast(): GraderContrast {
  return create<GraderContrast>("grader-contrast");
}
