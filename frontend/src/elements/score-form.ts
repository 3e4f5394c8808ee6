/** <score-form model="taste"> around a form: what a reward model gives for one answer. */

import type { Problem } from "../api";
import { adviceOf, wasAborted } from "../api";
import { fill, h } from "../dom";
import { metric } from "../format";
import { patiently } from "../patience";

interface Scored {
  data: { score: number | null; error?: Problem }[];
  usage: { prompt_tokens: number };
}

export class ScoreForm extends HTMLElement {
  #asking: AbortController | null = null;

  connectedCallback(): void {
    this.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#ask(event.target as HTMLFormElement);
    });
  }

  disconnectedCallback(): void {
    this.#asking?.abort();
  }

  /** The latest question counts: one that is still being answered is dropped. */
  async #ask(form: HTMLFormElement): Promise<void> {
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    const said = new FormData(form);
    const input = [{ prompt: said.get("prompt"), answer: said.get("answer") }];
    this.#tell(h("p", { class: "help" }, gettext("Asking… A model that is not in memory is loaded first.")));
    try {
      const answer = await patiently("/api/v1/scores", { model: this.getAttribute("model"), input }, asking.signal);
      this.#show((await answer.json()) as Scored);
    } catch (reason) {
      if (!wasAborted(reason)) this.#tell(h("p", { class: "grade-error" }, adviceOf(reason)));
    }
  }

  #show({ data, usage }: Scored): void {
    const [one] = data;
    if (one === undefined || one.score === null) {
      const sentence = [one?.error?.message, one?.error?.next_step].filter(Boolean).join(" ");
      return this.#tell(h("p", { class: "grade-error" }, sentence));
    }
    const tokens = interpolate(ngettext("%(n)s token read", "%(n)s tokens read", usage.prompt_tokens), { n: usage.prompt_tokens }, true);
    this.#tell(h("p", { class: "score-told" }, h("strong", { class: "numeric", title: String(one.score) }, metric(one.score)), h("span", { class: "muted" }, tokens)));
  }

  #tell(line: HTMLElement): void {
    const place = this.querySelector("output");
    if (place !== null) fill(place, line);
  }
}

customElements.define("score-form", ScoreForm);
