/** <serving-curves>: what serving tests measured, one line a test, over how many asked at once. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { fill, h } from "../dom";
import { metric, number } from "../format";

interface Level {
  at_once: number;
  errors: number;
  tokens_per_s: number;
  first_token_p50_ms: number | null;
  first_token_p95_ms: number | null;
  token_p50_ms: number | null;
  answer_p50_ms: number | null;
}

export interface ServingTest {
  id: string;
  model: string;
  created_at: number;
  levels: Level[];
}

type Measure = Exclude<keyof Level, "at_once">;
const COLOURS = ["--accent", "--good", "--warn", "--text-3"];
const HEIGHT = 168;

function measures(): [Measure, string, string][] {
  return [
    ["tokens_per_s", gettext("Tokens/s, all together"), ""],
    ["first_token_p50_ms", gettext("First token, median"), " ms"],
    ["first_token_p95_ms", gettext("First token, slowest of 20"), " ms"],
    ["token_p50_ms", gettext("Between tokens, median"), " ms"],
    ["answer_p50_ms", gettext("Whole answer, median"), " ms"],
    ["errors", gettext("Errors"), ""],
  ];
}

export class ServingCurves extends HTMLElement {
  #tests: ServingTest[] = [];
  #plots: uPlot[] = [];
  #grid = h("div", { class: "chart-grid" });
  #watch = new ResizeObserver(() => this.#resize());

  connectedCallback(): void {
    const script = this.querySelector("script");
    if (script !== null) {
      this.#tests = (JSON.parse(script.textContent ?? "[]") as ServingTest[]).slice(0, COLOURS.length);
      fill(this, this.#legend(), this.#grid);
      document.addEventListener("themechange", this.#draw);
      this.#watch.observe(this);
    }
    this.#draw();
  }

  disconnectedCallback(): void {
    document.removeEventListener("themechange", this.#draw);
    this.#watch.disconnect();
  }

  #legend(): HTMLElement {
    const when = new Intl.DateTimeFormat(document.documentElement.lang || "en", { dateStyle: "short", timeStyle: "short" });
    const marks = this.#tests.map(({ model, created_at }, place) =>
      h("li", { class: `curve-mark of-${place}` }, when.format(created_at * 1000), " ", h("span", { class: "muted" }, model)),
    );
    return h("ul", { class: "curve-marks" }, ...marks);
  }

  #draw = (): void => {
    for (const plot of this.#plots) plot.destroy();
    this.#plots = [];
    const figures = measures().map(([key, title, unit]) => {
      const value = h("span", { class: "chart-value numeric" });
      const canvas = h("div", { class: "chart-canvas" });
      const figure = h("figure", { class: "chart" }, h("figcaption", { class: "chart-head" }, h("span", { class: "chart-title" }, title), value), canvas);
      return { key, unit, value, canvas, figure };
    });
    fill(this.#grid, ...figures.map(({ figure }) => figure));
    for (const { key, unit, value, canvas } of figures) {
      if (canvas.clientWidth > 0) this.#plots.push(this.#plot(key, unit, value, canvas));
    }
  };

  #resize(): void {
    if (this.#plots.length === 0) return this.#draw();
    for (const plot of this.#plots) {
      const width = plot.root.parentElement?.clientWidth ?? 0;
      if (width > 0 && width !== plot.width) plot.setSize({ width, height: HEIGHT });
    }
  }

  #plot(key: Measure, unit: string, value: HTMLElement, canvas: HTMLElement): uPlot {
    const colour = (name: string): string => getComputedStyle(this).getPropertyValue(name).trim();
    const axis: uPlot.Axis = { stroke: colour("--text-3"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "11px system-ui", gap: 6 };
    const data = table(this.#tests, key);
    const levels = data[0] as number[];
    const show = (place: number): void => {
      const found = data[1]?.[place];
      const at = interpolate(gettext("at %(n)s"), { n: number(levels[place] ?? 0) }, true);
      fill(value, h("span", { class: "muted" }, at), found === null || found === undefined ? "–" : `${metric(found)}${unit}`);
    };
    const newest = [...(data[1] ?? [])].map((found) => found !== null).lastIndexOf(true);
    show(newest);
    return new uPlot(
      {
        width: canvas.clientWidth,
        height: HEIGHT,
        padding: [8, 12, 0, 0],
        legend: { show: false },
        cursor: { sync: { key: "serving" }, drag: { x: false, y: false }, points: { size: 6 } },
        scales: { x: { time: false, distr: 3, log: 2 }, y: { range: (_, __, max) => [0, (max || 1) * 1.08] } },
        axes: [
          { ...axis, size: 24, splits: () => levels, values: (_, ticks) => ticks.map((tick) => number(tick)) },
          { ...axis, size: 52, values: (_, ticks) => ticks.map((tick) => metric(tick)) },
        ],
        series: [{}, ...this.#tests.map((_, place) => line(colour(COLOURS[place] ?? "")))],
        hooks: { setCursor: [(plot) => show(plot.cursor.idx ?? newest)] },
      },
      data,
      canvas,
    );
  }
}

function line(colour: string): uPlot.Series {
  return { stroke: colour, width: 1.75, spanGaps: true, points: { show: true, size: 6, fill: colour, stroke: colour } };
}

/** Every level that any test had, and for each test its value there. */
export function table(tests: readonly ServingTest[], key: Measure): uPlot.AlignedData {
  const levels = [...new Set(tests.flatMap((test) => test.levels.map(({ at_once }) => at_once)))].sort((a, b) => a - b);
  const columns = tests.map((test) => levels.map((at_once) => test.levels.find((level) => level.at_once === at_once)?.[key] ?? null));
  return [levels, ...columns] as uPlot.AlignedData;
}

customElements.define("serving-curves", ServingCurves);
