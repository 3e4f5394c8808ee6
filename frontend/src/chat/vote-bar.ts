/** Which of two answers is better: four buttons, and the keys that press them. */

import { fill, h } from "../dom";
import type { Verdict } from "./labels";

export type Vote = Extract<Verdict, "first" | "second" | "tie" | "both_bad">;

const KEYS: Record<string, Vote> = {
  "1": "first",
  "2": "second",
  "3": "tie",
  "4": "both_bad",
  ArrowLeft: "first",
  ArrowRight: "second",
  ArrowUp: "tie",
  ArrowDown: "both_bad",
};

/** The vote that a key means: while somebody types, only with Alt. */
export function voteOf(event: KeyboardEvent): Vote | null {
  const target = event.target instanceof HTMLElement ? event.target : null;
  const isTyping = target !== null && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));
  if (event.ctrlKey || event.metaKey || event.shiftKey || (isTyping && !event.altKey)) return null;
  if (isTyping && event.key.startsWith("Arrow")) return null;
  return KEYS[event.key] ?? null;
}

export class VoteBar {
  readonly element = h("div", { class: "vote-bar", role: "group", "aria-label": gettext("Which answer is better?") });
  #note = h("span", { class: "vote-note muted", role: "status" });

  constructor(
    readonly vote: (verdict: Vote) => void,
    readonly undo: () => void,
  ) {}

  show(chosen: Vote | null, isOff: boolean, note: string | Node = ""): void {
    const button = (verdict: Vote, label: string, key: string): HTMLElement =>
      h("button", { type: "button", class: "button small", "aria-pressed": String(chosen === verdict), disabled: isOff, onclick: () => this.vote(verdict) }, label, h("kbd", {}, key));
    fill(this.#note, note);
    fill(
      this.element,
      button("first", gettext("A is better"), "1"),
      button("second", gettext("B is better"), "2"),
      button("tie", gettext("Tie"), "3"),
      button("both_bad", gettext("Both bad"), "4"),
      chosen === null ? null : h("button", { type: "button", class: "button ghost small", onclick: () => this.undo() }, gettext("Undo")),
      this.#note,
    );
  }
}
