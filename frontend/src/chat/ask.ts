/** Asking a model over the platform's own `/v1/chat/completions`, with the page's session. */

import { ApiError, getJson, problemIn } from "../api";
import { patiently } from "../patience";
import type { Message } from "./thread";

export interface Alternative {
  token: string;
  logprob: number;
}

/** A token that was written, and the likeliest ones in its place. */
export interface Told extends Alternative {
  top_logprobs: Alternative[];
}

export interface Piece {
  text: string;
  told: Told[];
  finish: "stop" | "length" | null;
}

export interface Question {
  model: string;
  messages: Message[];
  sampling: Record<string, number>;
  withProbabilities: boolean;
}

/** Why nothing is written yet. */
export interface Waiting {
  seconds: number;
  status: "queued" | "loading" | "ready" | "";
}

interface Chunk {
  choices?: { delta?: { content?: string }; logprobs?: { content?: Told[] } | null; finish_reason?: "stop" | "length" | null }[];
  error?: unknown;
}

const ALTERNATIVES = 5;

/** Every piece as it is written. Aborting stops the model, too. */
export async function* ask(question: Question, signal: AbortSignal, wait: (waiting: Waiting) => void): AsyncGenerator<Piece> {
  const waiting = new Clock(question.model, wait);
  try {
    yield* pieces(await opened(question, signal), () => waiting.stop());
  } finally {
    waiting.stop();
  }
}

async function opened({ model, messages, sampling, withProbabilities }: Question, signal: AbortSignal): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const probabilities = withProbabilities ? { logprobs: true, top_logprobs: ALTERNATIVES } : {};
  const answer = await patiently("/v1/chat/completions", { model, messages, ...sampling, ...probabilities, stream: true }, signal);
  if (answer.body === null) throw new ApiError(answer.status, problemIn(null, answer.status), null);
  return answer.body;
}

async function* pieces(body: ReadableStream<Uint8Array<ArrayBuffer>>, began: () => void): AsyncGenerator<Piece> {
  for await (const line of dataLines(body)) {
    if (line === "[DONE]") return;
    const chunk = JSON.parse(line) as Chunk;
    if (chunk.error !== undefined) throw new ApiError(200, problemIn(chunk, 200), chunk);
    const choice = chunk.choices?.[0];
    if (choice === undefined) continue;
    began();
    yield { text: choice.delta?.content ?? "", told: choice.logprobs?.content ?? [], finish: choice.finish_reason ?? null };
  }
}

async function* dataLines(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const lines = (rest + (value ?? "")).split("\n");
      rest = done ? "" : (lines.pop() ?? "");
      for (const line of lines) if (line.startsWith("data:")) yield line.slice(5).trim();
      if (done) return;
    }
  } finally {
    void reader.cancel().catch(() => undefined); // whoever reads no further lets the model stop
  }
}

/** Counts the seconds until the first piece, and looks what the model is doing meanwhile. */
class Clock {
  #start = Date.now();
  #timer: ReturnType<typeof setInterval>;
  #status: Waiting["status"] = "";

  constructor(
    readonly model: string,
    readonly tell: (waiting: Waiting) => void,
  ) {
    this.#timer = setInterval(() => this.#tick(), 1000);
  }

  get seconds(): number {
    return Math.round((Date.now() - this.#start) / 1000);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    this.tell({ seconds: this.seconds, status: this.#status });
    if (this.seconds % 2 === 1) void this.#look();
  }

  async #look(): Promise<void> {
    const found = await getJson<{ status: Waiting["status"] }>(`/chat/standing?model=${encodeURIComponent(this.model)}`).catch(() => null);
    if (found !== null) this.#status = found.status;
  }
}
