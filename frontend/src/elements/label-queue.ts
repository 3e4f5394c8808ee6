/** <label-queue>: pairs of answers one after another, voted on with one key each, without seeing who wrote them. */

import { adviceOf, wasAborted } from "../api";
import { LabelTray } from "../chat/label-tray";
import type { Candidate, Label } from "../chat/labels";
import { chooseDestination, destination, say, takeBack } from "../chat/labels";
import { mannerFields, placeField } from "../chat/manner-form";
import { rendered } from "../chat/markdown";
import type { ModelGroup } from "../chat/model-picker";
import { ModelPicker } from "../chat/model-picker";
import type { Ready } from "../chat/pairs";
import { Pairs } from "../chat/pairs";
import { standingTable } from "../chat/standing-table";
import type { Manner } from "../chat/thread";
import { MANNER, samplingOf } from "../chat/thread";
import type { Vote } from "../chat/vote-bar";
import { VoteBar, voteOf } from "../chat/vote-bar";
import { fill, freshId, h, pageData } from "../dom";
import { number } from "../format";

interface Choice {
  value: string;
  label: string;
}

interface QueueData {
  groups: ModelGroup[];
  prompts: Choice[];
  jobs: Choice[];
  datasets: string[];
  source: string;
  dataset: string;
}

interface Shown {
  ready: Ready;
  answers: Candidate[] | null;
}

export class LabelQueue extends HTMLElement {
  #data!: QueueData;
  #models: string[] = [];
  #manner: Manner = { ...MANNER };
  #source = h("select", { class: "input", id: freshId("source") });
  #setup = h("details", { class: "card setup", open: true });
  #sampling = h("div", { class: "stack" });
  #stage = h("div", { class: "stage" });
  #last = h("p", { class: "stage-last", role: "status" });
  #table = h("section", { class: "section" });
  #tray = new LabelTray(
    () => [destination("preference")],
    (label) => this.#forget(label),
    (found) => void fill(this.#table, h("header", {}, h("h2", {}, gettext("What was labelled"))), standingTable(found)),
  );
  #bar = new VoteBar((verdict) => void this.#vote(verdict), () => undefined);
  #pairs: Pairs | null = null;
  #shown: Shown | null = null;
  #previous: { label: Label; shown: Shown } | null = null;
  #count = 0;

  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    this.#data = pageData<QueueData>(this.getAttribute("data") ?? "labels-data");
    if (this.#data.dataset !== "") chooseDestination("preference", this.#data.dataset);
    const all = this.#data.groups.flatMap(({ models }) => models);
    this.#models = [all[0] ?? "", all[1] ?? all[0] ?? ""];
    this.#buildSetup();
    this.append(this.#setup, this.#tray.element, this.#stage, this.#table);
    document.addEventListener("keydown", (event) => this.#key(event));
    void this.#tray.refresh();
  }

  #buildSetup(): void {
    const { prompts, jobs, source } = this.#data;
    const group = (label: string, choices: Choice[]): HTMLElement | null => (choices.length === 0 ? null : h("optgroup", { label }, ...choices.map(({ value, label: name }) => h("option", { value }, name))));
    const groups = [group(gettext("Prompts of a dataset"), prompts), group(gettext("Answers of a training"), jobs)].filter((one) => one !== null);
    this.#source.append(...groups, h("option", { value: "labels" }, gettext("Pairs that others have labelled")));
    const isKnown = [...this.#source.options].some(({ value }) => value === source);
    if (source !== "" && !isKnown) this.#source.append(h("option", { value: source }, source));
    if (source !== "") this.#source.value = source;
    this.#source.addEventListener("change", () => this.#showSampling());
    const start = h("button", { type: "button", class: "button primary", onclick: () => void this.#start() }, gettext("Start"));
    const field = h("div", { class: "field" }, h("label", { for: this.#source.id }, gettext("Pairs from")), this.#source);
    const place = placeField("preference", gettext("Labels go to"), this.#data.datasets, () => void this.#tray.refresh());
    this.#sampling.append(new ModelPicker(this.#data.groups, this.#models, () => undefined, true).element, h("div", { class: "manner-row" }, ...mannerFields(this.#manner, () => undefined)));
    const summary = h("summary", {}, gettext("What is labelled"));
    fill(this.#setup, summary, h("div", { class: "stack" }, h("div", { class: "manner-row" }, field, place), this.#sampling, h("div", { class: "row" }, start)));
    this.#showSampling();
  }

  #showSampling(): void {
    this.#sampling.hidden = !this.#source.value.startsWith("dataset:");
  }

  async #start(): Promise<void> {
    this.#pairs?.close();
    this.#pairs = new Pairs(this.#source.value, destination("preference"), this.#models, { ...this.#manner });
    this.#previous = null;
    this.#count = 0;
    this.#setup.open = false;
    fill(this.#last);
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur(); // keys vote from now on
    await this.#next();
  }

  async #next(): Promise<void> {
    const pairs = this.#pairs;
    if (pairs === null) return;
    this.#shown = null;
    try {
      const ready = await pairs.next();
      if (pairs !== this.#pairs) return;
      if (ready === null) return this.#drawEnd();
      await this.#look({ ready, answers: null });
    } catch (reason) {
      this.#drawProblem(reason, () => this.#next());
    }
  }

  async #look(shown: Shown): Promise<void> {
    this.#shown = shown;
    this.#draw();
    try {
      const answers = await shown.ready.answers;
      if (this.#shown !== shown) return;
      shown.answers = answers;
      this.#draw();
    } catch (reason) {
      if (this.#shown !== shown || wasAborted(reason)) return;
      this.#drawProblem(reason, () => (this.#pairs === null ? Promise.resolve() : this.#look({ ready: this.#pairs.prepare(shown.ready.pair), answers: null })));
    }
  }

  async #vote(verdict: Vote): Promise<void> {
    const shown = this.#shown;
    if (shown?.answers == null) return;
    const { pair } = shown.ready;
    this.#shown = null;
    const sampled = pair.answers.length === 0 ? { manner: samplingOf(this.#manner) } : {};
    try {
      const label = await say({ kind: "preference", verdict, prompt: pair.prompt, answers: shown.answers, source: pair.source, ...sampled });
      this.#previous = { label, shown };
      this.#count += 1;
      this.#drawLast(verdict, shown.answers);
      await Promise.all([this.#next(), this.#tray.refresh()]);
    } catch (reason) {
      this.#shown = shown;
      this.#draw(adviceOf(reason));
    }
  }

  /** The last vote is taken back, and its pair is shown again. */
  async #undo(): Promise<void> {
    const previous = this.#previous;
    if (previous === null) return;
    this.#previous = null;
    await takeBack(previous.label.id).catch(() => undefined); // it may have been taken back elsewhere
    this.#count = Math.max(0, this.#count - 1);
    fill(this.#last);
    if (this.#shown !== null) this.#pairs?.putBack(this.#shown.ready);
    await Promise.all([this.#look(previous.shown), this.#tray.refresh()]);
  }

  /** The last one was taken back beside the queue. */
  #forget(label: Label): void {
    if (this.#previous?.label.id !== label.id) return;
    this.#previous = null;
    this.#count = Math.max(0, this.#count - 1);
    fill(this.#last);
  }

  #skip(): void {
    this.#shown?.ready.drop();
    void this.#next();
  }

  #draw(problem = ""): void {
    const shown = this.#shown;
    if (shown === null) return;
    const { prompt } = shown.ready.pair;
    const turns = prompt.map(({ role, content }) => h("div", { class: `stage-turn is-${role}` }, prompt.length > 1 ? h("span", { class: "help" }, roleName(role)) : null, h("div", { class: "as-written" }, content)));
    const answers = [0, 1].map((at) => h("article", { class: "chat-answer" }, h("header", { class: "answer-head" }, h("span", { class: "answer-letter" }, at === 0 ? "A" : "B")), this.#body(shown.answers?.[at])));
    this.#bar.show(null, shown.answers === null, problem === "" ? "" : h("span", { class: "error-text" }, problem));
    const skip = h("button", { type: "button", class: "button ghost small", onclick: () => this.#skip() }, gettext("Skip"), h("kbd", {}, "S"));
    const done = interpolate(ngettext("%(n)s pair labelled in this sitting", "%(n)s pairs labelled in this sitting", this.#count), { n: number(this.#count) }, true);
    fill(this.#stage, this.#last, h("div", { class: "stage-prompt card card-body" }, ...turns), h("div", { class: "turn-answers side-by-side" }, ...answers), h("div", { class: "row stage-foot" }, this.#bar.element, skip, h("span", { class: "muted push", id: "labelled-count" }, done)));
  }

  #body(answer: Candidate | undefined): HTMLElement {
    if (answer === undefined) return h("div", { class: "answer-body is-writing" }, h("span", { class: "muted" }, gettext("The models are answering…")));
    return h("div", { class: "answer-body" }, answer.text.trim() === "" ? h("span", { class: "muted" }, gettext("(empty answer)")) : h("div", { class: "markdown" }, rendered(answer.text)));
  }

  #drawLast(verdict: Vote, answers: Candidate[]): void {
    const said: Record<Vote, string> = { first: gettext("A is better"), second: gettext("B is better"), tie: gettext("Tie"), both_bad: gettext("Both bad") };
    const who = interpolate(gettext("Before: %(said)s. A was %(a)s, B was %(b)s."), { said: said[verdict], a: answers[0]?.model || "–", b: answers[1]?.model || "–" }, true);
    const undo = h("button", { type: "button", class: "button ghost small", onclick: () => void this.#undo() }, gettext("Undo"), h("kbd", {}, "U"));
    fill(this.#last, h("span", {}, who), undo);
  }

  #drawEnd(): void {
    const isFirst = this.#count === 0;
    const said = isFirst ? gettext("There is nothing here that you have not labelled.") : gettext("That was the last pair.");
    fill(this.#stage, this.#last, h("div", { class: "empty" }, h("h2", {}, said), h("p", {}, gettext("Choose another source above, or publish what was labelled and train on it."))));
  }

  #drawProblem(reason: unknown, again: () => Promise<void>): void {
    const retry = h("button", { type: "button", class: "button small", onclick: () => void again() }, gettext("Try again"));
    const skip = this.#shown === null ? null : h("button", { type: "button", class: "button small", onclick: () => this.#skip() }, gettext("Skip"));
    fill(this.#stage, this.#last, h("div", { class: "notice bad", role: "alert" }, h("span", { class: "grow" }, adviceOf(reason)), retry, skip));
  }

  #key(event: KeyboardEvent): void {
    if (this.#pairs === null || document.querySelector("dialog[open]") !== null) return;
    const verdict = voteOf(event);
    const isTyping = event.target instanceof HTMLElement && ["INPUT", "TEXTAREA", "SELECT"].includes(event.target.tagName);
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping;
    if (verdict !== null) void this.#vote(verdict);
    else if (isPlain && event.key.toLowerCase() === "s" && this.#shown !== null) this.#skip();
    else if (isPlain && event.key.toLowerCase() === "u") void this.#undo();
    else return;
    event.preventDefault();
  }
}

function roleName(role: string): string {
  return { system: gettext("System"), user: gettext("User"), assistant: gettext("Assistant") }[role] ?? role;
}

customElements.define("label-queue", LabelQueue);
