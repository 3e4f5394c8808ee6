/** One answer: who wrote it, its text as Markdown, as text or as tokens, and what can be done with it. */

import { adviceOf } from "../api";
import { fill, h, icon } from "../dom";
import { copyButton } from "../elements/copy-button";
import { AGAIN, EDIT, STOP, THUMB_DOWN, THUMB_UP } from "../icons";
import { editBox } from "./edit-box";
import type { Told, Waiting } from "./ask";
import { rendered } from "./markdown";
import type { Verdict } from "./labels";
import type { Answer } from "./thread";
import { TokenView } from "./tokens";

export type Look = "markdown" | "text" | "tokens";

export interface AnswerActions {
  regenerate(): void;
  stop(): void;
  /** Let the conversation go on with this one. */
  goOn(): void;
  rate(verdict: Verdict): void;
  edit(text: string): void;
}

export class AnswerView {
  readonly element = h("article", { class: "chat-answer" });
  #head = h("header", { class: "answer-head" });
  #body = h("div", { class: "answer-body" });
  #note = h("p", { class: "answer-note", role: "status", hidden: true });
  #foot = h("footer", { class: "answer-foot" });
  #tokens: TokenView | null = null;
  #hasToken = false;
  #frame = 0;
  #isWriting = false;
  rating: Verdict | null = null;
  isKept = false;
  /** “A” or “B” where there are two. */
  letter = "";

  constructor(
    readonly answer: Answer,
    readonly actions: AnswerActions,
    public look: Look,
  ) {
    this.element.append(this.#head, this.#body, this.#note, this.#foot);
  }

  get isWriting(): boolean {
    return this.#isWriting;
  }

  begin(): void {
    this.#isWriting = true;
    this.#tokens = new TokenView();
    this.#hasToken = false;
    this.#note.hidden = true;
    this.#note.classList.remove("is-bad");
    this.draw();
  }

  /** What a person waits for while there is no first token. */
  wait({ seconds, status }: Waiting): void {
    const said = {
      queued: gettext("%(model)s waits for an engine with room… %(s)s s"),
      loading: gettext("%(model)s is being loaded… %(s)s s"),
      ready: gettext("%(model)s reads… %(s)s s"),
      "": gettext("Waiting for %(model)s… %(s)s s"),
    }[status];
    this.#say(interpolate(said ?? gettext("Waiting for %(model)s… %(s)s s"), { model: this.answer.model, s: seconds }, true));
  }

  add(text: string, told: readonly Told[]): void {
    this.#note.hidden = true;
    this.answer.text += text;
    this.#tokens?.add(told);
    this.#hasToken ||= told.length > 0;
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#drawBody());
  }

  end(): void {
    this.#isWriting = false;
    this.#note.hidden = true;
    this.draw();
  }

  fail(reason: unknown): void {
    this.answer.finish = "broken";
    this.end();
    this.#say(adviceOf(reason), true);
  }

  /** A sentence of ours under the answer. */
  complain(reason: unknown): void {
    this.#say(adviceOf(reason), true);
  }

  draw(): void {
    this.element.classList.toggle("is-kept", this.isKept && this.letter !== "");
    fill(this.#head, ...this.#title());
    this.#drawBody();
    fill(this.#foot, ...this.#buttons());
  }

  #say(sentence: string, isBad = false): void {
    this.#note.hidden = false;
    this.#note.classList.toggle("is-bad", isBad);
    fill(this.#note, sentence);
  }

  #title(): (Node | string)[] {
    const { model, written, finish } = this.answer;
    const parts: (Node | string)[] = [];
    if (this.letter !== "") parts.push(h("span", { class: "answer-letter" }, this.letter));
    parts.push(h("span", { class: "answer-model one-line", title: model }, model));
    if (written !== null) parts.push(h("span", { class: "badge", title: gettext("A person changed what the model wrote") }, gettext("edited")));
    if (finish === "length" && written === null) parts.push(h("span", { class: "badge waiting", title: gettext("It reached the most tokens, or the end of the model's context") }, gettext("cut off")));
    if (finish === "stopped") parts.push(h("span", { class: "badge" }, gettext("stopped")));
    if (this.letter !== "" && this.isKept && !this.#isWriting) parts.push(h("span", { class: "badge accent", title: gettext("The next message follows upon this answer, for both models") }, gettext("goes on")));
    return parts;
  }

  #drawBody(): void {
    this.#frame = 0;
    const { text } = this.answer;
    this.#body.classList.toggle("is-writing", this.#isWriting);
    if (text === "" && !(this.look === "tokens" && this.#hasToken)) {
      const said = this.#isWriting || this.answer.finish === null || this.answer.finish === "broken" ? "" : gettext("(empty answer)");
      return void fill(this.#body, this.#isWriting ? h("span", { class: "cursor", "aria-hidden": true }) : h("span", { class: "muted" }, said));
    }
    if (this.look === "tokens") return this.#drawTokens(text);
    if (this.look === "text") return void fill(this.#body, h("div", { class: "as-written" }, text));
    fill(this.#body, h("div", { class: "markdown" }, rendered(text)));
  }

  #drawTokens(text: string): void {
    if (this.#tokens !== null && this.#hasToken && this.answer.written === null) {
      if (this.#tokens.element.parentElement !== this.#body) fill(this.#body, this.#tokens.element);
      return;
    }
    fill(this.#body, h("div", { class: "as-written" }, text), h("p", { class: "help" }, gettext("Ask again to see this answer's probabilities: they are not stored.")));
  }

  #buttons(): (Node | null)[] {
    if (this.#isWriting) return [this.#button(gettext("Stop"), STOP, () => this.actions.stop(), true)];
    const { text } = this.answer;
    const again = this.#button(gettext("Ask again"), AGAIN, () => this.actions.regenerate());
    if (text.trim() === "") return [again];
    return [
      copyButton(() => text),
      again,
      this.#button(gettext("Edit"), EDIT, () => this.#edit()),
      this.#thumb("good", gettext("A good answer"), THUMB_UP),
      this.#thumb("bad", gettext("A bad answer"), THUMB_DOWN),
      this.letter !== "" && !this.isKept ? h("button", { type: "button", class: "button ghost small push", onclick: () => this.actions.goOn() }, gettext("Go on with this")) : null,
    ].filter((one) => one !== null);
  }

  #button(label: string, drawing: string, work: () => void, isNamed = false): HTMLElement {
    return h("button", { type: "button", class: isNamed ? "button ghost small" : "button ghost small square", title: label, "aria-label": isNamed ? null : label, onclick: work }, icon(drawing), isNamed ? label : null);
  }

  #thumb(verdict: "good" | "bad", label: string, drawing: string): HTMLElement {
    const button = this.#button(label, drawing, () => this.actions.rate(verdict));
    button.setAttribute("aria-pressed", String(this.rating === verdict));
    button.classList.add(`thumb-${verdict}`);
    return button;
  }

  #edit(): void {
    const close = (): void => this.draw();
    const box = editBox(this.answer.text, gettext("Keep this answer"), gettext("The answer as it should be"), (text) => {
      close();
      if (text !== this.answer.text) this.actions.edit(text);
    }, close);
    fill(this.#foot);
    fill(this.#body, box.element);
    box.focus();
  }
}
