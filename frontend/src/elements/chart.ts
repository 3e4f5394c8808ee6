/** One chart: raw and smoothed, its healthy band behind, attempts as lines, its zoom shared with its siblings. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { fill, freshId, h } from "../dom";
import { metric, number, smooth } from "../format";
import type { AttemptMark, KeyAbout, Point } from "../curves";

export interface ChartHost {
  attempts(): readonly AttemptMark[];
  smoothing(): number;
  zoomed(min: number, max: number): void;
  unzoomed(): void;
}

const HEIGHT = 168;

export class Chart {
  readonly element: HTMLElement;
  #plot: uPlot | null = null;
  #value = h("span", { class: "chart-value numeric" });
  #canvas = h("div", { class: "chart-canvas" });
  #points: readonly Point[] = [];

  constructor(
    readonly about: KeyAbout,
    readonly isEvaluation: boolean,
    private readonly host: ChartHost,
  ) {
    const head = h("figcaption", { class: "chart-head" }, h("span", { class: "chart-title" }, about.title), infoButton(about), this.#value);
    this.element = h("figure", { class: "chart", "data-key": about.key }, head, this.#canvas);
  }

  matches(filter: RegExp): boolean {
    return filter.test(this.about.key) || filter.test(this.about.title);
  }

  draw(points: readonly Point[]): void {
    this.#points = points;
    this.#showValue(points.length - 1);
    if (this.element.hidden || this.#canvas.clientWidth === 0) return;
    const data = this.#data();
    if (this.#plot === null) this.#plot = this.#make(data);
    else this.#plot.setData(data, !this.#isZoomed());
  }

  #data(): uPlot.AlignedData {
    const steps = this.#points.map(([step]) => step);
    const raw = this.#points.map(([, value]) => value);
    return [steps, raw, smooth(raw, this.isEvaluation ? 0 : this.host.smoothing())] as uPlot.AlignedData;
  }

  /** Colours come from the style sheet, so a change of theme draws the chart anew. */
  redraw(): void {
    this.#plot?.destroy();
    this.#plot = null;
    this.draw(this.#points);
  }

  resize(): void {
    const width = this.#canvas.clientWidth;
    if (width === 0) return;
    if (this.#plot === null) this.draw(this.#points);
    else if (this.#plot.width !== width) this.#plot.setSize({ width, height: HEIGHT });
  }

  zoom(min: number, max: number): void {
    this.#plot?.setScale("x", { min, max });
  }

  #isZoomed(): boolean {
    const x = this.#plot?.scales["x"];
    const steps = this.#plot?.data[0];
    return x?.min !== undefined && steps !== undefined && (x.min > (steps[0] ?? 0) || (x.max ?? 0) < (steps.at(-1) ?? 0));
  }

  #make(data: uPlot.AlignedData): uPlot {
    const colour = (name: string): string => getComputedStyle(this.element).getPropertyValue(name).trim();
    const axis: uPlot.Axis = { stroke: colour("--text-3"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "11px system-ui", gap: 6 };
    const smoothing = this.host.smoothing() > 0 && !this.isEvaluation;
    return new uPlot(
      {
        width: this.#canvas.clientWidth,
        height: HEIGHT,
        padding: [8, 8, 0, 0],
        cursor: { sync: { key: "job", filters: { pub: isPointing, sub: isPointing } }, points: { size: 6 }, drag: { x: true, y: false } },
        legend: { show: false },
        scales: { x: { time: false }, y: { range: (_, min, max) => this.#range(min, max) } },
        axes: [{ ...axis, size: 24, values: (_, ticks) => ticks.map((step) => (Number.isInteger(step) ? number(step) : "")) }, { ...axis, size: 52, values: (_, ticks) => ticks.map((tick) => metric(tick)) }],
        series: [
          {},
          { stroke: colour(smoothing ? "--chart-faint" : "--accent"), width: smoothing ? 1 : 1.75, points: { show: () => this.isEvaluation || this.#points.length < 3, size: 6, fill: colour("--accent"), stroke: colour("--accent") } },
          { stroke: colour("--accent"), width: 1.75, show: smoothing, points: { show: false } },
        ],
        hooks: {
          drawClear: [(plot) => this.#drawBand(plot, colour("--chart-band"))],
          draw: [(plot) => this.#drawAttempts(plot, colour("--text-3"))],
          setSelect: [(plot) => this.#selected(plot)],
          ready: [(plot) => plot.over.addEventListener("dblclick", () => this.host.unzoomed())],
          setCursor: [(plot) => this.#showValue(plot.cursor.idx ?? this.#points.length - 1)],
        },
      },
      data,
      this.#canvas,
    );
  }

  /** A flat curve stands in the middle instead of on the edge. */
  #range(min: number | null, max: number | null): [number, number] {
    if (min === null || max === null) return [0, 1];
    // Smoothing leaves differences in the last bit: they are no slope.
    const isFlat = max - min <= Math.abs(max) * 1e-9;
    const room = isFlat ? Math.abs(max) * 0.1 || 1 : (max - min) * 0.08;
    return [min >= 0 && min - room < 0 ? 0 : min - room, max + room];
  }

  #selected(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width > 0) this.host.zoomed(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
  }

  #drawBand(plot: uPlot, colour: string): void {
    const band = this.about.band;
    const { min = 0, max = 0 } = plot.scales["y"] as uPlot.Scale;
    if (band === null || max <= min) return;
    const [low, high] = [Math.max(band[0] ?? min, min), Math.min(band[1] ?? max, max)];
    if (low >= high) return;
    const top = plot.valToPos(high, "y", true);
    plot.ctx.fillStyle = colour;
    plot.ctx.fillRect(plot.bbox.left, top, plot.bbox.width, plot.valToPos(low, "y", true) - top);
  }

  #drawAttempts(plot: uPlot, colour: string): void {
    const { min = 0, max = 0 } = plot.scales["x"] as uPlot.Scale;
    const { ctx, bbox } = plot;
    for (const { number: attempt, from_step } of this.host.attempts()) {
      if (attempt < 2 || from_step < min || from_step > max) continue;
      const x = Math.round(plot.valToPos(from_step, "x", true));
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = colour;
      ctx.setLineDash([4, 4]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.font = `${11 * devicePixelRatio}px system-ui`;
      ctx.fillText(interpolate(gettext("attempt %(n)s"), { n: attempt }, true), x + 4 * devicePixelRatio, bbox.top + 12 * devicePixelRatio);
      ctx.restore();
    }
  }

  #showValue(index: number): void {
    const point = this.#points[index];
    fill(this.#value, point === undefined ? "" : h("span", { class: "muted" }, interpolate(gettext("step %(n)s"), { n: number(point[0]) }, true)), point === undefined ? "" : metric(point[1]));
  }
}

/** Siblings follow the pointer; a zoom goes through the host, which also knows charts that are not drawn yet. */
function isPointing(type: string): boolean {
  return type === "mousemove" || type === "mouseleave";
}

/** Formula and raw key, opened by click or key as well as by pointing. */
function infoButton(about: KeyAbout): HTMLElement {
  const id = freshId("about");
  const panel = h("div", { class: "popover", id, popover: "auto" }, about.about ? h("p", {}, about.about) : null, bandLine(about), h("p", { class: "help" }, gettext("Key in the logs"), " ", h("code", {}, about.key)));
  const button = h("button", { type: "button", class: "info", popovertarget: id, "aria-label": interpolate(gettext("What %(name)s is"), { name: about.title }, true) }, "i");
  button.addEventListener("click", () => {
    const { left, bottom } = button.getBoundingClientRect();
    panel.style.left = `${Math.min(left, innerWidth - 300)}px`;
    panel.style.top = `${bottom + 6}px`;
  });
  return h("span", { class: "info-wrap" }, button, panel);
}

function bandLine({ band }: KeyAbout): HTMLElement | null {
  if (band === null) return null;
  const [low, high] = band;
  const sentence = low === null ? gettext("Healthy up to %(high)s.") : high === null ? gettext("Healthy from %(low)s.") : gettext("Healthy from %(low)s to %(high)s.");
  return h("p", { class: "healthy" }, interpolate(sentence, { low: low === null ? "" : metric(low), high: high === null ? "" : metric(high) }, true));
}
