/** <job-preview>: the card that says whether the job can start, and what it will be. */

import { create, fill, h } from "../dom";
import { money, number, roughly } from "../format";
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
  #basis = h("p", { class: "help", hidden: true });
  #lengths = h("p", { class: "help", hidden: true });
  #warnings = h("ul", { class: "problem-list warnings" });
  #problems = h("ul", { class: "problem-list", "aria-live": "polite" });
  #button = h("button", { type: "button", class: "button primary block", id: "create-job", disabled: true });

  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    this.#button.addEventListener("click", () => this.dispatchEvent(new CustomEvent("create")));
    const head = h("div", { class: "card-head" }, h("h3", {}, gettext("Preview")), this.#badge);
    this.append(h("div", { class: "card-body" }, head, this.#facts, this.#basis, this.#lengths, this.#warnings, this.#problems, this.#button));
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
    const told = basis(verdict.preview);
    this.#basis.hidden = told === "";
    fill(this.#basis, told);
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

function memory({ memory_gb: gb, pool_memory_gb: there }: Partial<Preview>): string {
  if (gb === null || gb === undefined) return "–";
  if (there === null || there === undefined) return interpolate(gettext("about %(gb)s GB"), { gb: number(gb, 2) }, true);
  return interpolate(gettext("about %(gb)s of %(there)s GB"), { gb: number(gb, 2), there: number(there, 2) }, true);
}

function time({ time }: Partial<Preview>): string {
  if (!time) return "–";
  const [low, high] = [roughly(time.low_s), roughly(time.high_s)];
  return low === high ? interpolate(gettext("about %(time)s"), { time: low }, true) : interpolate(gettext("%(low)s to %(high)s"), { low, high }, true);
}

function cost({ cost }: Partial<Preview>): string | null {
  if (!cost) return null;
  const [low, high] = [money(cost.low, cost.currency), money(cost.high, cost.currency)];
  return low === high ? low : interpolate(gettext("%(low)s to %(high)s"), { low: low.replace(` ${cost.currency}`, ""), high }, true);
}

/** What memory and time are told from, and how far such estimates were off. */
function basis({ time, memory_jobs: jobs, memory_error: error }: Partial<Preview>): string {
  if (!time) return "";
  const off = (share: number): string => (share < 0.005 ? "<1%" : `${number(Math.round(100 * share))}%`);
  if (time.jobs === 0) return gettext("Time: a first guess, nothing like it has been timed in this pool.");
  const told = interpolate(ngettext("Time: told from %(n)s job in this pool.", "Time: told from %(n)s jobs in this pool.", time.jobs), { n: number(time.jobs) }, true);
  const parts = [
    time.error === null ? null : interpolate(gettext("time by %(off)s"), { off: off(time.error) }, true),
    error === null || error === undefined ? null : interpolate(gettext("memory by %(off)s"), { off: off(error) }, true),
  ].filter((part) => part !== null);
  if (parts.length === 0) return told;
  const sentence = interpolate(ngettext("Estimates were off over %(n)s job: %(what)s.", "Estimates were off over %(n)s jobs: %(what)s.", Math.max(jobs ?? 0, time.jobs)), { n: number(Math.max(jobs ?? 0, time.jobs)), what: parts.join(", ") }, true);
  return `${told} ${sentence}`;
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
  const price = cost(preview);
  return [
    [gettext("Method"), preview.method || "–"],
    [gettext("Model"), preview.model || "–"],
    [gettext("Rows"), count(preview.rows)],
    [gettext("Held-out rows"), count(preview.held_out_rows)],
    [gettext("Steps"), count(preview.steps)],
    [gettext("Memory"), memory(preview)],
    [gettext("Time"), time(preview)],
    ...(price === null ? [] : [[gettext("Cost"), price] as [string, string]]),
    [gettext("Pool"), place(preview, draft)],
    [gettext("Settings changed"), count(preview.changed)],
  ];
}

customElements.define("job-preview", JobPreview);

export function jobPreview(): JobPreview {
  return create<JobPreview>("job-preview", "card");
}
