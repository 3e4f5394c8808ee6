/** What a person says of the answers of a conversation, and how that stands on the page. */

import { destination, mine, say, takeBack } from "./labels";
import type { Label, Saying, Verdict } from "./labels";
import type { LabelTray } from "./label-tray";
import type { Thread, Turn } from "./thread";
import { promptOf, samplingOf } from "./thread";
import type { TurnView } from "./turn-view";
import type { Vote } from "./vote-bar";

const REMEMBERED = 100;

export class Judging {
  constructor(
    readonly thread: Thread,
    readonly views: readonly TurnView[],
    readonly source: () => Promise<string>,
    readonly tray: LabelTray,
    readonly changed: () => void,
  ) {}

  /** Which answer is better: the conversation goes on with it. */
  async vote(view: TurnView, verdict: Vote): Promise<void> {
    if (view.vote?.verdict === verdict) return this.undoVote(view);
    await this.#say(view, { kind: "preference", verdict, answers: candidates(view.turn) }, (label) => {
      view.vote = { id: label.id, verdict };
      if (verdict === "first" || verdict === "second") view.turn.goes_on = verdict === "first" ? 0 : 1;
      view.draw(place(label.dataset));
    });
  }

  async undoVote(view: TurnView): Promise<void> {
    if (view.vote === null) return;
    await takeBack(view.vote.id).catch(() => undefined); // it may be gone already: then there is nothing to take back
    view.vote = null;
    view.draw();
    await this.tray.refresh();
  }

  async rate(view: TurnView, index: number, verdict: "good" | "bad"): Promise<void> {
    const answer = view.answers[index];
    const before = view.ratings.get(index);
    if (answer === undefined) return;
    if (answer.rating === verdict && before !== undefined) {
      await takeBack(before).catch(() => undefined);
      this.#rated(view, index, null, null);
      return this.tray.refresh();
    }
    await this.#say(view, { kind: "rating", verdict, answers: candidates(view.turn).slice(index, index + 1) }, (label) => this.#rated(view, index, verdict, label.id), index);
  }

  /** A person's answer in place of the model's. */
  async correct(view: TurnView, index: number, edited: string): Promise<void> {
    const answer = view.turn.answers[index];
    if (answer === undefined) return;
    const written = answer.written ?? answer.text;
    if (written.trim() !== "" && edited !== written) {
      const saying = { kind: "edit" as const, verdict: "edited" as const, answers: [{ text: written, model: answer.model }], edited };
      await this.#say(view, saying, () => undefined, index);
    }
  }

  /** What this person said of the conversation before the page was opened. */
  async recall(): Promise<void> {
    const said = await mine({ source: await this.source() }, REMEMBERED).catch(() => []);
    for (const label of said.reverse()) this.#apply(label, label.verdict);
  }

  forget(label: Label): void {
    this.#apply(label, null);
  }

  /** New answers, which nobody has said anything of. */
  clear(view: TurnView, index: number): void {
    view.vote = null;
    this.#rated(view, index, null, null);
  }

  #apply(label: Label, verdict: Verdict | null): void {
    for (const view of this.views) {
      const texts = view.turn.answers.map(({ text }) => text);
      if (label.kind === "preference" && isSamePair(texts, label)) {
        const isTurned = texts[0] !== label.answers[0]?.text;
        view.vote = verdict === null ? null : { id: label.id, verdict: (isTurned ? turned(verdict) : verdict) as Vote };
        view.draw();
      }
      const index = texts.indexOf(label.answers[0]?.text ?? "");
      if (label.kind === "rating" && index >= 0) this.#rated(view, index, verdict, verdict === null ? null : label.id);
    }
  }

  #rated(view: TurnView, index: number, verdict: Verdict | null, id: string | null): void {
    const answer = view.answers[index];
    if (answer === undefined) return;
    answer.rating = verdict;
    if (id === null) view.ratings.delete(index);
    else view.ratings.set(index, id);
    answer.draw();
  }

  async #say(view: TurnView, saying: Omit<Saying, "prompt" | "source">, done: (label: Label) => void, index = 0): Promise<void> {
    try {
      const prompt = promptOf(this.thread, this.views.indexOf(view));
      done(await say({ ...saying, prompt, source: await this.source(), manner: samplingOf(this.thread.manner) }, destination(saying.kind)));
      this.changed();
      await this.tray.refresh();
    } catch (reason) {
      view.answers[index]?.complain(reason);
    }
  }
}

function candidates(turn: Turn): { text: string; model: string }[] {
  return turn.answers.map(({ text, model }) => ({ text, model }));
}

function isSamePair(texts: readonly string[], label: Label): boolean {
  return texts.length === 2 && label.answers.length === 2 && label.answers.every(({ text }) => texts.includes(text));
}

function turned(verdict: Verdict): Verdict {
  return verdict === "first" ? "second" : verdict === "second" ? "first" : verdict;
}

function place(dataset: string): string {
  return interpolate(gettext("kept for %(dataset)s"), { dataset }, true);
}
