/** A job's curves in memory: what the server gave, and what was heard since. */

import type { JobEvent } from "./job-stream";

export type Point = [step: number, value: number];

export interface KeyAbout {
  key: string;
  title: string;
  group: string;
  about: string;
  band: [number | null, number | null] | null;
}

export interface AttemptMark {
  number: number;
  from_step: number;
  at: number;
}

export interface SeriesAnswer {
  steps_total: number;
  keys: KeyAbout[];
  points: Record<string, Point[]>;
  evaluations: Record<string, Point[]>;
  attempts: AttemptMark[];
  last: number;
}

export class Curves {
  step = 0;
  /** Seconds between the last steps, from the clock of the worker. */
  #paces: number[] = [];
  #lastAt: number | null = null;
  #waiting = new Set<() => void>();

  constructor(
    readonly steps_total: number,
    public keys: Map<string, KeyAbout>,
    readonly metrics: Map<string, Point[]>,
    readonly evaluations: Map<string, Point[]>,
    readonly attempts: AttemptMark[],
  ) {
    for (const points of metrics.values()) this.step = Math.max(this.step, points.at(-1)?.[0] ?? 0);
  }

  /** Calls `draw` after every change. */
  onChange(draw: () => void): void {
    this.#waiting.add(draw);
  }

  /** All that the server knows by now, in its order: a key that came later stands in its place among the charts. */
  name(keys: KeyAbout[]): void {
    this.keys = new Map([...keys.map((about) => [about.key, about] as const), ...[...this.keys].filter(([key]) => keys.every((about) => about.key !== key))]);
    this.#changed();
  }

  take(event: JobEvent): void {
    if (event.type === "metrics") this.#add(this.metrics, event);
    else if (event.type === "evaluation") this.#add(this.evaluations, event);
    else if (event.type === "attempt") this.#restart(event);
    else return;
    this.#changed();
  }

  #add(curves: Map<string, Point[]>, { step = 0, values = {}, at, type }: JobEvent): void {
    for (const [key, value] of Object.entries(values)) {
      const points = curves.get(key) ?? [];
      if (points.length === 0) curves.set(key, points);
      if (step > (points.at(-1)?.[0] ?? -1)) points.push([step, value]);
    }
    if (type !== "metrics") return;
    if (this.#lastAt !== null && step > this.step) this.#paces = [...this.#paces, (at - this.#lastAt) / (step - this.step)].slice(-20);
    this.#lastAt = at;
    this.step = Math.max(this.step, step);
  }

  /** A new attempt starts from a checkpoint: what stood after it no longer counts. */
  #restart(event: JobEvent): void {
    const from = Number(event["from_step"] ?? 0);
    for (const points of [...this.metrics.values(), ...this.evaluations.values()]) {
      const keep = points.findIndex(([step]) => step > from);
      if (keep !== -1) points.splice(keep);
    }
    this.step = Math.min(this.step, from);
    this.#lastAt = null;
    this.attempts.push({ number: this.attempts.length + 1, from_step: from, at: event.at });
  }

  #changed(): void {
    for (const draw of this.#waiting) draw();
  }

  /** Seconds a step takes: as the trainer says, else as the reports came in. */
  get secondsPerStep(): number | null {
    const told = (this.metrics.get("step_time") ?? []).slice(-20).map(([, value]) => value);
    const paces = this.#paces.length > 0 ? this.#paces : told;
    return paces.length === 0 ? null : [...paces].sort((a, b) => a - b)[Math.floor(paces.length / 2)] ?? null;
  }
}

export function readCurves(answer: SeriesAnswer): Curves {
  return new Curves(
    answer.steps_total,
    new Map(answer.keys.map((about) => [about.key, about])),
    new Map(Object.entries(answer.points)),
    new Map(Object.entries(answer.evaluations)),
    [...answer.attempts],
  );
}
