/** <job-preview>: the card that says whether the job can start, and what it will be. */

import { create, fill, h } from "../dom";
import { number } from "../format";
import type { ButtonState, DraftProblem, Preview, Verdict } from "../job-draft";
import type { JsonObject } from "../path";
import { getAt } from "../path";

/** How long a dataset's rows are in tokens of the model. */
export interface Fit {
  rows: number;
  median: number;
  p95: number;
  longest: number;
  context: number;
  over: number;
}

export class JobPreview extends HTMLElement {
  #badge = h("span", { class: "badge" });
  #facts = h("dl", { class: "facts" });
  #lengths = h("p", { class: "help", hidden: true });
  #warnings = h("ul", { class: "problem-list warnings" });
  #problems = h("ul", { class: "problem-list", "aria-live": "polite" });
  #button = h("button", { type: "button", class: "button primary block", id: "create-job", disabled: true });

  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    this.#button.addEventListener("click", () => this.dispatchEvent(new CustomEvent("create")));
    const head = h("div", { class: "card-head" }, h("h3", {}, gettext("Preview")), this.#badge);
    this.append(h("div", { class: "card-body" }, head, this.#facts, this.#lengths, this.#warnings, this.#problems, this.#button));
  }

  set button(state: ButtonState) {
    fill(this.#button, state.label);
    this.#button.disabled = !state.enabled;
  }

  /** Null while the server is being asked: the last answer stays, greyed. */
  set verdict(verdict: Verdict | null) {
    this.classList.toggle("outdated", verdict === null);
    if (verdict === null) return;
    this.#badge.className = `badge ${verdict.ready ? "good" : "waiting"}`;
    fill(this.#badge, verdict.ready ? gettext("Ready") : gettext("Not ready"));
    fill(this.#facts, ...factsOf(verdict).flatMap(([name, value]) => [h("dt", {}, name), h("dd", { class: "numeric" }, value)]));
    fill(this.#warnings, ...(verdict.warnings ?? []).map((warning) => this.#problem(warning)));
    fill(this.#problems, ...verdict.problems.map((problem) => this.#problem(problem)));
  }

  set fit(fit: Fit | null) {
    this.#lengths.hidden = fit === null;
    if (fit === null) return;
    this.#lengths.classList.toggle("warning", fit.over > 0);
    const { median, p95, longest, context } = fit;
    const shown = Object.fromEntries(Object.entries({ median, p95, longest, context }).map(([name, value]) => [name, number(value)]));
    const lengths = interpolate(gettext("Tokens a row: %(median)s in the middle, %(longest)s at most; the model reads %(context)s."), shown, true);
    const share = interpolate(gettext("%(over)s of %(rows)s rows are longer than that, and are cut or left out."), { over: number(fit.over), rows: number(fit.rows) }, true);
    fill(this.#lengths, fit.over > 0 ? `${lengths} ${share}` : lengths);
  }

  #problem(problem: DraftProblem): HTMLElement {
    const go = (): void => void this.dispatchEvent(new CustomEvent("go", { detail: problem.param }));
    const message = problem.param === null ? h("span", {}, problem.message) : h("button", { type: "button", class: "link", onclick: go }, problem.message);
    return h("li", {}, message, problem.next_step ? h("span", { class: "help" }, problem.next_step) : null);
  }
}

function memory({ memory_gb: gb, pool_memory_gb: there, memory_error: error }: Partial<Preview>): string {
  if (gb === null || gb === undefined) return "–";
  if (there === null || there === undefined) return interpolate(gettext("about %(gb)s GB"), { gb: number(gb, 2) }, true);
  const numbers = { gb: number(gb, 2), there: number(there, 2) };
  if (error === null || error === undefined) return interpolate(gettext("about %(gb)s of %(there)s GB"), numbers, true);
  const off = number(Math.round(100 * error));
  return interpolate(gettext("about %(gb)s of %(there)s GB; past estimates were off by %(off)s percent"), { ...numbers, off }, true);
}

/** The pool, how the job fits into it, and why it was taken where nobody named one. */
function place({ pool, fit }: Partial<Preview>, draft: JsonObject | undefined): string {
  if (!pool) return "–";
  const asked = getAt(draft ?? {}, ["resources", "pool"]) ?? "auto";
  if (fit === "too_big") return interpolate(gettext("%(pool)s: too big"), { pool }, true);
  if (fit === "tight") return interpolate(gettext("%(pool)s: tight"), { pool }, true);
  if (fit === "fits" && asked === "auto") return interpolate(gettext("%(pool)s: the smallest it fits into"), { pool }, true);
  return fit === "fits" ? interpolate(gettext("%(pool)s: fits"), { pool }, true) : pool;
}

function factsOf({ preview, draft }: Verdict): [string, string][] {
  const count = (value: number | null | undefined): string => (value === null || value === undefined ? "–" : number(value));
  return [
    [gettext("Method"), preview.method || "–"],
    [gettext("Model"), preview.model || "–"],
    [gettext("Rows"), count(preview.rows)],
    [gettext("Held-out rows"), count(preview.held_out_rows)],
    [gettext("Steps"), count(preview.steps)],
    [gettext("Memory"), memory(preview)],
    [gettext("Pool"), place(preview, draft)],
    [gettext("Settings changed"), count(preview.changed)],
  ];
}

customElements.define("job-preview", JobPreview);

export function jobPreview(): JobPreview {
  return create<JobPreview>("job-preview", "card");
}
