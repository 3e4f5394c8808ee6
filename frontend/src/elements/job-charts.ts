/** <job-charts job="…">: every key that the job logs, grouped, live. */

import { sentenceOf } from "../api";
import { debounce, fill, h } from "../dom";
import type { Curves, KeyAbout } from "../curves";
import { JobStream } from "../job-stream";
import type { ChartHost } from "./chart";
import { Chart } from "./chart";

export class JobCharts extends HTMLElement implements ChartHost {
  #stream!: JobStream;
  #curves: Curves | null = null;
  #charts = new Map<string, Chart>();
  #groups = h("div", { class: "chart-groups" });
  #filter = h("input", { type: "search", class: "input small", placeholder: gettext("Filter (regex)"), "aria-label": gettext("Filter charts by name or key, as a regular expression") });
  #slider = h("input", { type: "range", min: 0, max: 0.98, step: 0.02, value: 0.8, id: "smoothing" });
  #reset = h("button", { type: "button", class: "button small", hidden: true }, gettext("Reset zoom"));
  #frame = 0;
  #describe = debounce(() => void this.#stream.describe(), 100);
  #watch = new ResizeObserver(() => this.#charts.forEach((chart) => chart.resize()));

  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    this.#stream = JobStream.of(this.getAttribute("job") ?? "");
    this.append(this.#bar(), this.#groups);
    fill(this.#groups, h("div", { class: "skeleton chart-skeleton" }));
    this.#watch.observe(this);
    document.addEventListener("themechange", () => this.#redraw());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#redraw());
    this.#stream.load().then(
      (curves) => this.#begin(curves),
      (reason: unknown) => void fill(this.#groups, h("p", { class: "empty-line error" }, sentenceOf(reason))),
    );
  }

  #bar(): HTMLElement {
    this.#filter.addEventListener("input", () => this.#applyFilter());
    this.#slider.addEventListener("input", () => this.#redraw());
    this.#reset.addEventListener("click", () => this.unzoomed());
    return h("div", { class: "chart-bar" }, this.#filter, h("label", { class: "slider", for: "smoothing" }, gettext("Smoothing"), this.#slider), this.#reset);
  }

  #begin(curves: Curves): void {
    this.#curves = curves;
    curves.onChange(() => this.#soon());
    this.#draw();
  }

  /** Many events may come between two frames: they are drawn once. */
  #soon(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw(): void {
    const curves = this.#curves;
    if (curves === null) return;
    const heard = [...curves.metrics.keys(), ...[...curves.evaluations.keys()].map((key) => `held-out ${key}`)];
    const keys = heard.filter((key) => curves.keys.has(bare(key)));
    if (keys.length < heard.length) this.#describe();
    if (keys.length === 0) return void fill(this.#groups, h("p", { class: "empty-line" }, gettext("The first numbers appear after the first step.")));
    if (keys.some((key) => !this.#charts.has(key))) this.#arrange(curves, keys);
    for (const [key, chart] of this.#charts) chart.draw(this.#points(curves, key));
  }

  #points(curves: Curves, key: string): readonly [number, number][] {
    return (key === bare(key) ? curves.metrics : curves.evaluations).get(bare(key)) ?? [];
  }

  #arrange(curves: Curves, keys: string[]): void {
    for (const key of keys.filter((each) => !this.#charts.has(each))) {
      this.#charts.set(key, new Chart(curves.keys.get(bare(key)) as KeyAbout, key !== bare(key), this));
    }
    const order = [...curves.keys.keys()];
    // Held-out rows first: their score is the headline. What it took to grade them is nobody's headline.
    const before = (chart: Chart): number => (chart.isEvaluation ? (isOfGrading(chart) ? 1 : -1) * (order.length + 1) : 0);
    const place = (chart: Chart): number => (order.indexOf(chart.about.key) + 1 || order.length + 1) + before(chart);
    const groups = new Map<string, Chart[]>();
    for (const chart of [...this.#charts.values()].sort((a, b) => place(a) - place(b))) {
      const name = !chart.isEvaluation ? chart.about.group : isOfGrading(chart) ? gettext("Grading of held-out rows") : gettext("Held-out");
      groups.set(name, [...(groups.get(name) ?? []), chart]);
    }
    const sections = [...groups].map(([name, charts]) => h("section", { class: `chart-group of-${Math.min(3, charts.length)}` }, h("h4", {}, name), h("div", { class: "chart-grid" }, ...charts.map((chart) => chart.element))));
    fill(this.#groups, ...sections);
    this.#applyFilter();
  }

  #applyFilter(): void {
    const filter = readFilter(this.#filter.value);
    this.#filter.setAttribute("aria-invalid", String(filter === null));
    if (filter === null) return;
    for (const chart of this.#charts.values()) chart.element.hidden = !chart.matches(filter);
    for (const group of this.#groups.querySelectorAll<HTMLElement>(".chart-group")) group.hidden = group.querySelector(".chart:not([hidden])") === null;
    for (const chart of this.#charts.values()) chart.resize();
  }

  #redraw(): void {
    for (const chart of this.#charts.values()) chart.redraw();
  }

  attempts(): Curves["attempts"] {
    return this.#curves?.attempts ?? [];
  }

  smoothing(): number {
    return Number(this.#slider.value);
  }

  zoomed(min: number, max: number): void {
    this.#reset.hidden = false;
    for (const chart of this.#charts.values()) chart.zoom(min, max);
  }

  unzoomed(): void {
    this.#reset.hidden = true;
    this.#redraw();
  }
}

/** The trainer's key behind a chart's: held-out values may bear the same one. */
function bare(key: string): string {
  return key.startsWith("held-out ") ? key.slice("held-out ".length) : key;
}

function isOfGrading(chart: Chart): boolean {
  return /^(graded$|grading_s\/|judges\/)/.test(chart.about.key);
}

/** Null while the pattern is not complete. */
export function readFilter(text: string): RegExp | null {
  try {
    return new RegExp(text, "i");
  } catch {
    return null;
  }
}

customElements.define("job-charts", JobCharts);
