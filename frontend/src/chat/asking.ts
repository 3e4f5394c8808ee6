/** Answers that are being written, and the way to stop them. */

import { wasAborted } from "../api";
import { ask } from "./ask";
import type { AnswerView } from "./answer-view";
import type { Thread } from "./thread";
import { promptOf, samplingOf } from "./thread";

export class Asking {
  #controllers = new Map<AnswerView, AbortController>();

  /** `changed` is called as answers begin, grow and end. */
  constructor(
    readonly thread: Thread,
    readonly changed: () => void,
  ) {}

  get isWriting(): boolean {
    return this.#controllers.size > 0;
  }

  /** Writes an answer to the turn of this number into the view. Two of one model draw with seeds of their own. */
  async write(view: AnswerView, number: number, place: number): Promise<void> {
    const controller = new AbortController();
    const { answer } = view;
    Object.assign(answer, { text: "", finish: null, written: null });
    this.#controllers.set(view, controller);
    view.begin();
    this.changed();
    try {
      const sampling = samplingOf(this.thread.manner);
      const isTwin = place > 0 && this.thread.models[0] === this.thread.models[1];
      if (isTwin && sampling["seed"] !== undefined) sampling["seed"] += place;
      const question = { model: answer.model, messages: promptOf(this.thread, number), sampling, withProbabilities: view.look === "tokens" };
      for await (const piece of ask(question, controller.signal, (waiting) => view.wait(waiting))) {
        if (piece.text !== "" || piece.told.length > 0) view.add(piece.text, piece.told);
        answer.finish = piece.finish ?? answer.finish;
        this.changed();
      }
      answer.finish ??= "broken";
      this.#ended(view);
      view.end();
    } catch (reason) {
      this.#ended(view);
      if (wasAborted(reason) || controller.signal.aborted) {
        answer.finish = "stopped";
        view.end();
      } else view.fail(reason);
    }
    this.changed();
  }

  stop(view: AnswerView): void {
    this.#controllers.get(view)?.abort();
  }

  stopAll(): void {
    for (const controller of this.#controllers.values()) controller.abort();
  }

  #ended(view: AnswerView): void {
    this.#controllers.delete(view);
  }
}
