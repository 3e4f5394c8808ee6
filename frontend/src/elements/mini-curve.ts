/** <mini-curve job="…" key="reward">: a small curve for lists, refreshed now and then while the job runs. */

import { getJson } from "../api";
import type { Point, SeriesAnswer } from "../curves";
import { fill, h } from "../dom";
import { metric, smooth } from "../format";

const SVG = "http://www.w3.org/2000/svg";
const AGAIN_AFTER_MS = 3000;
const [WIDTH, HEIGHT] = [160, 36];

export class MiniCurve extends HTMLElement {
  /** What was drawn last, by job: a list that is refreshed shows it at once. */
  static #drawn = new Map<string, Point[]>();

  #timer: ReturnType<typeof setTimeout> | undefined;

  connectedCallback(): void {
    this.#draw(MiniCurve.#drawn.get(this.getAttribute("job") ?? "") ?? []);
    void this.#load();
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
  }

  async #load(): Promise<void> {
    const answer = await getJson<SeriesAnswer>(`/api/v1/jobs/${this.getAttribute("job") ?? ""}/series?max_points=120`).catch(() => null);
    if (answer !== null) this.#take(answer.points["reward"] ?? answer.points["loss"] ?? []);
    if (this.hasAttribute("live") && this.isConnected) this.#timer = setTimeout(() => void this.#load(), AGAIN_AFTER_MS);
  }

  #take(points: Point[]): void {
    MiniCurve.#drawn.set(this.getAttribute("job") ?? "", points);
    this.#draw(points);
  }

  #draw(points: readonly Point[]): void {
    const last = points.at(-1);
    if (last === undefined) return void fill(this, h("span", { class: "muted" }, "–"));
    fill(this, curve(points), h("span", { class: "numeric" }, metric(last[1])));
  }
}

function curve(points: readonly Point[]): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", pathOf(points));
  svg.append(line);
  return svg;
}

export function pathOf(points: readonly Point[]): string {
  const values = smooth(points.map(([, value]) => value), 0.5).map((value) => value ?? 0);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [first, last] = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0];
  return points
    .map(([step], index) => {
      const x = last === first ? WIDTH / 2 : ((step - first) / (last - first)) * (WIDTH - 4) + 2;
      const y = high === low ? HEIGHT / 2 : HEIGHT - 3 - (((values[index] ?? low) - low) / (high - low)) * (HEIGHT - 6);
      return `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join("");
}

customElements.define("mini-curve", MiniCurve);
