/** An answer as the tokens it was written in, shaded by how likely each was, with what stood beside it on hover. */

import { fill, h } from "../dom";
import { percent } from "../format";
import type { Told } from "./ask";

const SHADES = 6;

export class TokenView {
  readonly element = h("div", { class: "tokens", tabindex: 0, role: "group", "aria-label": gettext("Tokens with their probabilities: arrow keys go from one to the next") });
  #tip = h("div", { class: "popover token-tip", popover: "manual", role: "status" });
  #told: Told[] = [];
  #at = -1;

  constructor() {
    this.element.append(this.#tip);
    this.element.addEventListener("pointerover", (event) => this.#over(event));
    this.element.addEventListener("pointerleave", () => this.#leave());
    this.element.addEventListener("blur", () => this.#leave());
    this.element.addEventListener("keydown", (event) => this.#step(event));
  }

  add(told: readonly Told[]): void {
    for (const one of told) {
      this.#told.push(one);
      const shade = Math.min(SHADES - 1, Math.floor(Math.exp(one.logprob) * SHADES));
      this.element.insertBefore(h("span", { class: `token shade-${shade}` }, seen(one.token)), this.#tip);
    }
  }

  #over(event: Event): void {
    const token = event.target instanceof Element ? event.target.closest(".token") : null;
    if (token !== null) this.#show([...this.element.children].indexOf(token));
  }

  #step(event: KeyboardEvent): void {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined || this.#told.length === 0) return;
    event.preventDefault();
    event.stopPropagation(); // they vote elsewhere
    this.#show(Math.max(0, Math.min(this.#told.length - 1, this.#at + by)));
  }

  #show(at: number): void {
    const told = this.#told[at];
    const token = this.element.children[at];
    if (told === undefined || token === undefined || at === this.#at) return;
    this.#mark(at);
    const own = told.top_logprobs.some((one) => one.token === told.token) ? [] : [told];
    const rows = [...told.top_logprobs, ...own].map((one) => {
      const bar = h("meter", { min: 0, max: 1, value: Math.exp(one.logprob), "aria-hidden": true });
      return h("div", { class: one.token === told.token ? "tip-row strong" : "tip-row" }, h("code", {}, quoted(one.token)), bar, h("span", { class: "numeric" }, percent(Math.exp(one.logprob), 1)));
    });
    fill(this.#tip, ...rows);
    this.#tip.showPopover?.();
    place(this.#tip, token.getBoundingClientRect());
  }

  #mark(at: number): void {
    this.element.children[this.#at]?.classList.remove("is-shown");
    this.#at = at;
    this.element.children[at]?.classList.add("is-shown");
  }

  #leave(): void {
    this.element.children[this.#at]?.classList.remove("is-shown");
    this.#at = -1;
    if (this.#tip.matches(":popover-open")) this.#tip.hidePopover();
  }
}

function place(tip: HTMLElement, token: DOMRect): void {
  const { width, height } = tip.getBoundingClientRect();
  const below = token.bottom + 6 + height <= window.innerHeight;
  tip.style.left = `${Math.max(8, Math.min(token.left, window.innerWidth - width - 8))}px`;
  tip.style.top = `${below ? token.bottom + 6 : Math.max(8, token.top - height - 6)}px`;
}

/** Line ends would be invisible, and still break the line. */
function seen(token: string): string {
  return token.replace(/\n/g, "↵\n");
}

function quoted(token: string): string {
  return token === "" ? gettext("(no text)") : JSON.stringify(token).slice(1, -1).replaceAll(" ", "␣");
}
