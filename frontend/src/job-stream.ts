/** What a job reports, once a page: its curves so far, then everything new as it comes. */

import { getJson } from "./api";
import type { Curves } from "./curves";
import { readCurves } from "./curves";
import type { SeriesAnswer } from "./curves";

export interface JobEvent {
  number: number;
  at: number;
  type: string;
  step?: number;
  values?: Record<string, number>;
  [field: string]: unknown;
}

export type Connection = "connecting" | "live" | "lost" | "ended";

const TYPES = ["metrics", "evaluation", "rollouts", "checkpoint", "log", "phase", "status", "attempt", "finished", "failed", "stopped"];
const AGAIN_AFTER_MS = 2000;

type Listener = (event: JobEvent) => void;

export class JobStream extends EventTarget {
  static #open = new Map<string, JobStream>();

  /** The stream of a job: all elements of a page share one connection. */
  static of(job: string): JobStream {
    const found = JobStream.#open.get(job) ?? new JobStream(job);
    JobStream.#open.set(job, found);
    return found;
  }

  curves: Curves | null = null;
  connection: Connection = "connecting";
  #source: EventSource | null = null;
  #last = Number.POSITIVE_INFINITY;
  #ready: Promise<Curves> | null = null;

  private constructor(readonly job: string) {
    super();
  }

  /** Hear everything above `after`; what the page already shows lies below it. */
  listen(after: number, listener: Listener): void {
    this.#last = Math.min(this.#last, after);
    this.addEventListener("job", (event) => {
      const told = (event as CustomEvent<JobEvent>).detail;
      if (told.number > after) listener(told);
    });
  }

  /** The curves up to now; from then on they grow with what comes. */
  load(): Promise<Curves> {
    this.#ready ??= this.#load();
    return this.#ready;
  }

  async #load(): Promise<Curves> {
    const answer = await getJson<SeriesAnswer>(`/api/v1/jobs/${this.job}/series?max_points=1000`);
    this.curves = readCurves(answer);
    const seen = answer.last;
    this.#last = Math.min(this.#last, seen);
    this.addEventListener("job", (event) => {
      const told = (event as CustomEvent<JobEvent>).detail;
      if (told.number > seen) this.curves?.take(told);
    });
    this.#connect();
    return this.curves;
  }

  /** A key that was not there when the page was loaded: ask again how it is called. The next event asks anew if this fails. */
  async describe(): Promise<void> {
    const answer = await getJson<SeriesAnswer>(`/api/v1/jobs/${this.job}/series?max_points=10`).catch(() => null);
    if (answer !== null) this.curves?.name(answer.keys);
  }

  #connect(): void {
    const source = new EventSource(`/api/v1/jobs/${this.job}/live?after=${this.#last}`);
    this.#source = source;
    source.addEventListener("open", () => this.#become("live"));
    source.addEventListener("error", () => this.#broken(source));
    source.addEventListener("end", () => this.close());
    for (const type of TYPES) source.addEventListener(type, (message) => this.#hear(message as MessageEvent<string>));
  }

  /** The browser comes back by itself with Last-Event-ID, except when the server answered with an error. */
  #broken(source: EventSource): void {
    if (this.connection === "ended") return;
    this.#become("lost");
    if (source.readyState === EventSource.CLOSED) setTimeout(() => this.#connect(), AGAIN_AFTER_MS);
  }

  #hear(message: MessageEvent<string>): void {
    const number = Number(message.lastEventId);
    if (number <= this.#last) return;
    this.#last = number;
    this.dispatchEvent(new CustomEvent("job", { detail: { ...(JSON.parse(message.data) as JobEvent), number } }));
  }

  #become(connection: Connection): void {
    if (this.connection === connection) return;
    this.connection = connection;
    this.dispatchEvent(new CustomEvent("connection", { detail: connection }));
  }

  close(): void {
    this.#source?.close();
    this.#become("ended");
  }
}
