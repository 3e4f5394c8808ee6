/** A message and its answers. */

import { fill, h, icon } from "../dom";
import { copyButton } from "../elements/copy-button";
import { EDIT } from "../icons";
import type { AnswerActions, Look } from "./answer-view";
import { AnswerView } from "./answer-view";
import { editBox } from "./edit-box";
import type { Turn } from "./thread";
import { isVotable } from "./thread";
import type { Vote } from "./vote-bar";
import { VoteBar } from "./vote-bar";

export interface TurnActions {
  edit(message: string): void;
  answer(index: number): AnswerActions;
  vote(verdict: Vote): void;
  undoVote(): void;
}

export class TurnView {
  readonly element = h("section", { class: "chat-turn" });
  #message = h("div", { class: "turn-message" });
  #answers = h("div", { class: "turn-answers" });
  #bar: VoteBar;
  answers: AnswerView[] = [];
  /** The label of this pair, if there is one. */
  vote: { id: string; verdict: Vote } | null = null;
  ratings = new Map<number, string>();

  constructor(
    readonly turn: Turn,
    readonly actions: TurnActions,
    public look: Look,
  ) {
    this.#bar = new VoteBar((verdict) => actions.vote(verdict), () => actions.undoVote());
    this.element.append(this.#message, this.#answers, this.#bar.element);
    this.rebuild();
  }

  /** After answers came or went. */
  rebuild(): void {
    this.answers = this.turn.answers.map((answer, index) => this.answers[index]?.answer === answer ? this.answers[index] : new AnswerView(answer, this.actions.answer(index), this.look));
    this.#answers.classList.toggle("side-by-side", this.answers.length === 2);
    fill(this.#answers, ...this.answers.map(({ element }) => element));
    this.draw();
  }

  draw(note: string | Node = ""): void {
    this.#drawMessage();
    this.answers.forEach((view, index) => {
      view.letter = this.answers.length === 2 ? (["A", "B"][index] ?? "") : "";
      view.isKept = this.turn.goes_on === index;
      view.look = this.look;
      view.draw();
    });
    const canVote = isVotable(this.turn) && !this.answers.some(({ isWriting }) => isWriting);
    this.#bar.element.hidden = this.answers.length < 2;
    this.#bar.show(this.vote?.verdict ?? null, !canVote, note);
  }

  #drawMessage(): void {
    const { message } = this.turn;
    const edit = h("button", { type: "button", class: "button ghost small square", title: gettext("Edit"), "aria-label": gettext("Edit the message"), onclick: () => this.#edit() }, icon(EDIT));
    fill(this.#message, h("div", { class: "bubble as-written" }, message), h("div", { class: "message-foot" }, copyButton(() => message), edit));
  }

  #edit(): void {
    const box = editBox(this.turn.message, gettext("Send again"), gettext("The message"), (text) => this.actions.edit(text), () => this.#drawMessage());
    fill(this.#message, box.element);
    box.focus();
  }
}
