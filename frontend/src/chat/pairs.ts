/** Pairs to label, read ahead: while a person looks at one, the next ones are fetched and their answers sampled. */

import { getJson } from "../api";
import { ask } from "./ask";
import type { Candidate } from "./labels";
import type { Manner, Message } from "./thread";
import { samplingOf } from "./thread";

export interface Pair {
  prompt: Message[];
  answers: Candidate[];
  source: string;
}

/** One whose answers may still be on their way. */
export interface Ready {
  pair: Pair;
  answers: Promise<Candidate[]>;
  /** Nobody will look at it: the models may stop. */
  drop(): void;
}

const AHEAD = 2;
const FETCHED = 10;

export class Pairs {
  #waiting: Pair[] = [];
  #ready: Ready[] = [];
  #start: number | null = 0;

  /** `models`: who answers prompts that come without answers. */
  constructor(
    readonly source: string,
    readonly dataset: string,
    readonly models: readonly string[],
    readonly manner: Manner,
  ) {}

  /** The next pair, or null when there is none left. */
  async next(): Promise<Ready | null> {
    await this.#fill();
    const first = this.#ready.shift() ?? null;
    void this.#fill().catch(() => undefined); // asked again, and told, when it is this pair's turn
    return first;
  }

  /** One that was looked at and is looked at again next. */
  putBack(one: Ready): void {
    this.#ready.unshift(one);
  }

  close(): void {
    for (const one of this.#ready) one.drop();
    this.#ready = [];
  }

  async #fill(): Promise<void> {
    while (this.#ready.length <= AHEAD) {
      const pair = this.#waiting.shift();
      if (pair !== undefined) this.#ready.push(this.prepare(pair));
      else if (!(await this.#fetch())) return;
    }
  }

  async #fetch(): Promise<boolean> {
    if (this.#start === null) return false;
    const query = new URLSearchParams({ source: this.source, dataset: this.dataset, start: String(this.#start), limit: String(FETCHED) });
    const found = await getJson<{ pairs: Pair[]; next: number | null }>(`/api/v1/labels/queue?${query}`);
    this.#start = found.next;
    this.#waiting.push(...found.pairs);
    return true;
  }

  /** With answers of both models, in an order by chance. */
  prepare(pair: Pair): Ready {
    if (pair.answers.length === 2) return { pair, answers: Promise.resolve(pair.answers), drop: () => undefined };
    const controller = new AbortController();
    const order = Math.random() < 0.5 ? [0, 1] : [1, 0];
    const answers = Promise.all(order.map((place) => this.#sample(pair.prompt, place, controller.signal)));
    answers.catch(() => undefined); // told when somebody looks at the pair
    return { pair, answers, drop: () => controller.abort() };
  }

  /** Of one model asked twice the second answer has a seed of its own. */
  async #sample(messages: Message[], place: number, signal: AbortSignal): Promise<Candidate> {
    const model = this.models[place] ?? this.models[0] ?? "";
    const sampling = samplingOf(this.manner);
    if (place > 0 && this.models[0] === this.models[1] && sampling["seed"] !== undefined) sampling["seed"] += place;
    let text = "";
    for await (const piece of ask({ model, messages, sampling, withProbabilities: false }, signal, () => undefined)) text += piece.text;
    return { text, model };
  }
}
