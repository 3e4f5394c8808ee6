/** <grader-builder>: form, JSON and trial of one grader. The server's model is the judge of all three. */

import { ApiError, postJson, sentenceOf, wasAborted } from "../api";
import { debounce, fill, h, pageData } from "../dom";
import type { Json } from "../path";
import type { Schema } from "../schema";
import { graderForm, readKinds } from "./grader-form";
import type { DatasetChoice } from "./grader-trial";
import { graderTrial } from "./grader-trial";
import { jsonEditor } from "./json-editor";

interface BuilderData {
  schema: Schema;
  grader: Json;
  name: string;
  datasets: DatasetChoice[];
  reward_models: string[];
  judges: string[];
  evaluators_url: string;
}

interface Checked {
  errors: { path: string; message: string }[];
}

export class GraderBuilder extends HTMLElement {
  #grader: Json = null;
  #form = graderForm();
  #editor = jsonEditor(gettext("JSON"), gettext("Paste a grader's JSON here"));
  #trial = graderTrial();
  #name = h("input", { class: "input", id: "evaluator-name", name: "name", autocomplete: "off", maxlength: 64, required: true });
  #note = h("input", { class: "input", id: "evaluator-note", name: "note", autocomplete: "off", maxlength: 500 });
  #save = h("button", { type: "button", class: "button primary", disabled: true }, gettext("Save"));
  #state = h("p", { class: "builder-state", role: "status" });
  #checking: AbortController | null = null;
  #isValid = false;
  #url = "/evaluators/";
  #check = debounce(() => void this.#askServer(), 200);

  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    const data = pageData<BuilderData>(this.getAttribute("data") ?? "builder-data");
    this.#url = data.evaluators_url;
    this.#name.value = data.name;
    this.#draw();
    this.#form.known = { "reward-model": data.reward_models, judge: data.judges };
    this.#form.kinds = readKinds(data.schema);
    this.#trial.datasets = data.datasets;
    this.#listen();
    this.#take(data.grader);
  }

  get grader(): Json {
    return this.#grader;
  }

  #draw(): void {
    const column = (title: string, className: string, inner: HTMLElement): HTMLElement =>
      h("section", { class: `builder-column ${className}`, "aria-label": title }, h("h3", { class: "column-title" }, title), inner);
    fill(
      this,
      h(
        "div",
        { class: "builder-bar" },
        h("div", { class: "field" }, h("label", { for: this.#name.id }, gettext("Name")), this.#name),
        h("div", { class: "field grow" }, h("label", { for: this.#note.id }, gettext("What changed (optional)")), this.#note),
        this.#state,
        this.#save,
      ),
      h("div", { class: "builder-columns" }, column(gettext("Form"), "of-form", this.#form), column(gettext("JSON"), "of-json", this.#editor), column(gettext("Trial"), "of-trial", this.#trial)),
    );
  }

  #listen(): void {
    this.#form.addEventListener("change", (event) => this.#take((event as CustomEvent<Json>).detail));
    this.#editor.addEventListener("change", (event) => this.#take((event as CustomEvent<Json>).detail));
    this.#editor.addEventListener("broken", () => this.#broken());
    this.#trial.addEventListener("source", this.#check);
    this.#name.addEventListener("input", () => this.#showSave());
    this.#save.addEventListener("click", () => void this.#store());
  }

  /** The one way a grader comes in, from the form or from the JSON: the other one follows. */
  #take(grader: Json): void {
    this.#grader = grader;
    this.#form.inert = false;
    if (this.#form.value !== grader || grader === null) this.#form.value = grader;
    this.#editor.value = grader;
    this.#isValid = false;
    this.#showSave();
    if (grader === null) return this.#say("", gettext("Choose a kind to begin"));
    this.#check();
  }

  /** JSON in the middle of being typed: the form waits rather than show something else. */
  #broken(): void {
    this.#form.inert = true;
    this.#isValid = false;
    this.#trial.grader = null;
    this.#showSave();
    this.#say("bad", gettext("The JSON is not complete."));
  }

  async #askServer(): Promise<void> {
    if (this.#grader === null || this.#form.inert) return;
    this.#checking?.abort();
    const checking = new AbortController();
    this.#checking = checking;
    const dataset = this.#trial.chosenDataset;
    try {
      await postJson("/api/v1/graders/check", { grader: this.#grader, ...(dataset ? { dataset } : {}) }, checking.signal);
      this.#judged([]);
    } catch (reason) {
      if (wasAborted(reason)) return;
      const errors = reason instanceof ApiError ? (reason.body as Checked | null)?.errors : undefined;
      if (errors === undefined) return this.#say("bad", sentenceOf(reason));
      this.#judged(errors);
    }
  }

  #judged(errors: Checked["errors"]): void {
    const problems = new Map(errors.map(({ path, message }) => [path, message]));
    this.#form.problems = problems;
    this.#editor.problems = problems;
    this.#isValid = errors.length === 0;
    this.#trial.grader = this.#isValid ? this.#grader : null;
    this.#showSave();
    if (this.#isValid) return this.#say("good", gettext("Valid"));
    const count = errors.length;
    this.#say("bad", interpolate(ngettext("%(n)s thing to mend", "%(n)s things to mend", count), { n: count }, true));
  }

  #showSave(): void {
    this.#save.disabled = !this.#isValid || this.#name.value.trim() === "";
    const isNamed = this.#name.value.trim() !== "";
    fill(this.#save, this.#isValid && !isNamed ? gettext("Give it a name") : gettext("Save"));
  }

  #say(mood: "good" | "bad" | "", sentence: string): void {
    this.#state.className = `builder-state ${mood}`;
    fill(this.#state, sentence);
  }

  async #store(): Promise<void> {
    this.#save.disabled = true;
    const body = { name: this.#name.value.trim(), grader: this.#grader, note: this.#note.value.trim() };
    try {
      const saved = await postJson<{ name: string }>("/api/v1/evaluators", body);
      location.assign(`${this.#url}${encodeURIComponent(saved.name)}`);
    } catch (reason) {
      this.#say("bad", sentenceOf(reason));
      this.#showSave();
    }
  }
}

customElements.define("grader-builder", GraderBuilder);
