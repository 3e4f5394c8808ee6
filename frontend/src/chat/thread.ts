/** A conversation as the page holds it, and as the server keeps it. */

export interface Manner {
  system: string;
  temperature: number;
  top_p: number;
  max_tokens: number | null;
  seed: number | null;
}

export type Finish = "stop" | "length" | "stopped" | "broken";

export interface Answer {
  model: string;
  text: string;
  finish: Finish | null;
  /** What the model wrote, where a person changed it. */
  written: string | null;
}

export interface Turn {
  message: string;
  answers: Answer[];
  /** Which answer the next turn follows upon. */
  goes_on: number;
}

export interface Thread {
  models: string[];
  manner: Manner;
  turns: Turn[];
}

export interface Message {
  role: "system" | "user" | "assistant";
  content: string;
}

export const MANNER: Manner = { system: "", temperature: 1, top_p: 1, max_tokens: null, seed: null };

/** What a model is sent to answer the turn of this number: the conversation up to it, as it goes on. */
export function promptOf(thread: Thread, number: number): Message[] {
  const told: Message[] = thread.manner.system.trim() === "" ? [] : [{ role: "system", content: thread.manner.system }];
  for (const turn of thread.turns.slice(0, number)) {
    const answer = turn.answers[turn.goes_on]?.text ?? "";
    // A message that was never answered would put two of the same role in a row, which most templates refuse.
    if (answer.trim() !== "") told.push({ role: "user", content: turn.message }, { role: "assistant", content: answer });
  }
  const asked = thread.turns[number];
  return asked === undefined ? told : [...told, { role: "user", content: asked.message }];
}

/** The settings as `/v1/chat/completions` takes them. What is not set is left to the model. */
export function samplingOf({ temperature, top_p, max_tokens, seed }: Manner): Record<string, number> {
  return {
    temperature,
    top_p,
    ...(max_tokens === null ? {} : { max_tokens }),
    ...(seed === null ? {} : { seed }),
  };
}

export function newAnswer(model: string): Answer {
  return { model, text: "", finish: null, written: null };
}

/** Where one answer is empty and the other is not, the conversation goes on with the other. */
export function settle(turn: Turn): void {
  if (turn.answers[turn.goes_on]?.text.trim()) return;
  const other = turn.answers.findIndex(({ text }) => text.trim() !== "");
  if (other >= 0) turn.goes_on = other;
}

/** A copy in which nothing is being written any more: what is stored. */
export function stored(thread: Thread): Thread {
  const turns = thread.turns.map(({ message, answers, goes_on }) => ({
    message,
    answers: answers.map(({ model, text, finish, written }) => ({ model, text, finish, written })),
    goes_on: goes_on < answers.length ? goes_on : 0,
  }));
  return { models: [...thread.models], manner: { ...thread.manner }, turns };
}

export function isVotable(turn: Turn): boolean {
  const [one, other] = turn.answers;
  return one !== undefined && other !== undefined && one.finish !== null && other.finish !== null;
}
