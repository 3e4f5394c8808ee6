/** <grader-builder>: form, JSON and trial of one grader. The server's model is the judge of all three. */

import { ApiError, postJson, sentenceOf, wasAborted } from "../api";
import { debounce, fill, h, pageData } from "../dom";
import type { Known } from "../field";
import { withPartsByName } from "../grader-edits";
import { History } from "../history";
import type { Json } from "../path";
import { isWrittenAlike } from "../path";
import type { Schema } from "../schema";
import type { Kept } from "../unsaved-work";
import { UnsavedWork } from "../unsaved-work";
import { builderBar } from "./builder-bar";
import type { StartTemplate } from "./builder-start";
import { builderStart } from "./builder-start";
import type { GraderChange } from "./grader-form";
import { graderForm, readKinds } from "./grader-form";
import type { DatasetChoice, JobChoice } from "./grader-trial";
import { graderTrial } from "./grader-trial";
import { jsonEditor } from "./json-editor";
import type { OwnSample } from "./trial-samples";

interface BuilderData {
  schema: Schema;
  grader: Json;
  name: string;
  /** The number of the version that is being changed; 0 for something new. */
  base: number;
  templates: StartTemplate[];
  /** The template that the page was asked for. */
  template: string | null;
  datasets: DatasetChoice[];
  jobs: JobChoice[];
  /** What it is tried on at first, as the trial's choices name it. */
  source: string;
  known: Known;
  evaluators_url: string;
}

interface Checked {
  errors: { path: string; message: string }[];
}

const MAX_CHARACTERS = 1_000_000;

export class GraderBuilder extends HTMLElement {
  #grader: Json = null;
  #history = new History<Json>(null);
  #form = graderForm();
  #start = h("div", {});
  #editor = jsonEditor(gettext("JSON"), gettext("Paste a grader's JSON here"));
  #trial = graderTrial();
  #bar = builderBar({
    undo: () => this.#take(this.#history.undo(), null),
    redo: () => this.#take(this.#history.redo(), null),
    read: (text) => this.#read(text),
    document: () => this.#grader,
    save: () => void this.#store(this.#base),
    renamed: () => this.#showSave(),
  });
  #checking: AbortController | null = null;
  #isValid = false;
  #base: number | null = null;
  #saved: Json = null;
  #work = new UnsavedWork("");
  #url = "/evaluators/";
  #check = debounce(() => void this.#askServer(), 150);

  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    const data = pageData<BuilderData>(this.getAttribute("data") ?? "builder-data");
    this.#url = data.evaluators_url;
    this.#base = data.base;
    this.#bar.name = data.name;
    this.#saved = data.grader;
    this.#history = new History(data.grader);
    this.#work = new UnsavedWork(`evaluator:${data.base === 0 ? "" : data.name}`);
    this.#draw();
    this.#form.known = data.known;
    this.#form.kinds = readKinds(data.schema);
    this.#trial.choices(data.datasets, data.jobs);
    this.#listen();
    fill(this.#start, builderStart(data.templates, (template) => this.#begin(template)));
    const unsaved = this.#work.found();
    const wanted = data.templates.find(({ id }) => id === data.template);
    if (wanted === undefined) this.#take(data.grader, null);
    else this.#begin(wanted);
    this.#offer(unsaved);
    if (data.source) this.#trial.choose(data.source);
    this.#receive();
  }

  get grader(): Json {
    return this.#grader;
  }

  #draw(): void {
    const column = (title: string, className: string, ...inner: HTMLElement[]): HTMLElement =>
      h("section", { class: `builder-column ${className}`, "aria-label": title }, h("h2", { class: "column-title" }, title), ...inner);
    const columns = h("div", { class: "builder-columns" }, column(gettext("Form"), "of-form", this.#start, this.#form), column(gettext("JSON"), "of-json", this.#editor), column(gettext("Trial"), "of-trial", this.#trial));
    fill(this, this.#bar.element, columns);
  }

  #listen(): void {
    this.#form.addEventListener("change", (event) => {
      const { grader, place } = (event as CustomEvent<GraderChange>).detail;
      this.#take(grader, place);
    });
    this.#editor.addEventListener("change", (event) => {
      if (this.#editor.text.length > MAX_CHARACTERS) this.#broken(gettext("This is more than a megabyte: no grader is that long."));
      else this.#take((event as CustomEvent<Json>).detail, "json");
    });
    this.#editor.addEventListener("broken", () => this.#broken(gettext("The JSON is not complete.")));
    this.#trial.addEventListener("source", () => {
      this.#form.columns = this.#trial.columns;
      this.#check();
    });
    this.addEventListener("keydown", (event) => this.#onKey(event));
    window.addEventListener("beforeunload", (event) => {
      if (!isWrittenAlike(this.#grader, this.#saved)) event.preventDefault();
    });
  }

  /** Letters are undone by the editor and the fields of a trial on their own. */
  #onKey(event: KeyboardEvent): void {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    if (key === "s") {
      event.preventDefault();
      return this.#bar.pressSave();
    }
    const isElsewhere = event.target instanceof Node && (this.#editor.contains(event.target) || this.#trial.contains(event.target) || this.#bar.element.contains(event.target));
    if (isElsewhere || !["z", "y"].includes(key)) return;
    event.preventDefault();
    this.#take(key === "y" || event.shiftKey ? this.#history.redo() : this.#history.undo(), null);
  }

  #begin({ grader, samples }: StartTemplate): void {
    this.#take(grader, "");
    this.#trial.samples = structuredClone(samples);
  }

  #read(text: string): void {
    try {
      if (text.length > MAX_CHARACTERS) throw new RangeError();
      this.#take(JSON.parse(text) as Json, "");
    } catch (reason) {
      this.#bar.say("bad", reason instanceof RangeError ? gettext("This is more than a megabyte: no grader is that long.") : gettext("The file holds no JSON."));
    }
  }

  /**
   * The one way a grader comes in; form and JSON follow. `place` is where it was changed, for undo: nothing begins a
   * step of its own, and null is no new step at all.
   */
  #take(grader: Json, place: string | null): void {
    if (place !== null && !isWrittenAlike(grader, this.#history.present)) this.#history.push(grader, place);
    this.#grader = grader;
    this.#form.inert = false;
    if (this.#form.value !== grader || grader === null) this.#form.value = grader;
    this.#editor.value = grader;
    this.#isValid = false;
    this.#start.hidden = grader !== null;
    this.#bar.showHistory(this.#history.canUndo, this.#history.canRedo);
    this.#showSave();
    if (!isWrittenAlike(grader, this.#saved)) this.#work.keep(grader);
    else if (place !== null) this.#work.forget();
    this.#trial.take(null, false);
    this.#bar.say("", grader === null ? gettext("Choose a kind to begin") : gettext("Checking…"));
    if (grader !== null) this.#check();
  }

  /** JSON in the middle of being typed: the form waits rather than show something else. */
  #broken(sentence: string): void {
    this.#form.inert = true;
    this.#isValid = false;
    this.#trial.take(null, false);
    this.#showSave();
    this.#bar.say("bad", sentence);
  }

  async #askServer(): Promise<void> {
    if (this.#grader === null || this.#form.inert) return;
    this.#checking?.abort();
    const checking = new AbortController();
    this.#checking = checking;
    const dataset = this.#trial.chosenDataset;
    try {
      const body = { grader: this.#grader, ...(dataset ? { dataset } : {}) };
      const { asks_outside } = await postJson<{ asks_outside: boolean }>("/api/v1/graders/check", body, checking.signal);
      this.#judged([], asks_outside);
    } catch (reason) {
      if (wasAborted(reason)) return;
      const errors = reason instanceof ApiError ? (reason.body as Checked | null)?.errors : undefined;
      if (errors === undefined) return this.#bar.say("bad", sentenceOf(reason));
      this.#judged(errors, false);
    }
  }

  #judged(errors: Checked["errors"], asksOutside: boolean): void {
    const problems = new Map(errors.map(({ path, message }) => [path, message]));
    this.#form.problems = problems;
    this.#editor.problems = problems;
    this.#isValid = errors.length === 0;
    this.#trial.take(this.#isValid ? this.#grader : null, asksOutside);
    this.#form.columns = this.#trial.columns;
    this.#showSave();
    if (this.#isValid) this.#useOurForm();
    if (this.#isValid) return this.#bar.say("good", isWrittenAlike(this.#grader, this.#saved) ? gettext("Saved") : gettext("Valid"));
    const count = errors.length;
    this.#bar.say("bad", interpolate(ngettext("%(n)s thing to mend", "%(n)s things to mend", count), { n: count }, true));
  }

  /** A list of parts, as OpenAI writes it too, becomes parts by name: what the form can show. */
  #useOurForm(): void {
    const named = withPartsByName(this.#grader);
    if (!isWrittenAlike(named, this.#grader)) this.#take(named, "");
  }

  #showSave(): void {
    this.#bar.showSave(this.#isValid);
  }

  /** What was not saved when the page was left, offered back. */
  #offer(kept: Kept | null): void {
    if (kept === null || isWrittenAlike(kept.value, this.#saved)) return;
    this.#bar.offer(
      kept.at,
      () => this.#take(kept.value, ""),
      () => this.#work.forget(),
    );
  }

  /** Answers that another page sent along, to be tried here. */
  #receive(): void {
    const sent = sessionStorage.getItem("whetstone.samples");
    if (sent === null) return;
    sessionStorage.removeItem("whetstone.samples");
    this.#trial.samples = JSON.parse(sent) as OwnSample[];
  }

  /** Saves as the next version; asks when somebody else has saved one since `base`. */
  async #store(base: number | null): Promise<void> {
    this.#bar.showSave(false);
    const body = { name: this.#bar.name, grader: this.#grader, note: this.#bar.note, ...(base === null ? {} : { base }) };
    try {
      const saved = await postJson<{ name: string }>("/api/v1/evaluators", body);
      this.#saved = this.#grader;
      this.#work.forget();
      location.assign(`${this.#url}${encodeURIComponent(saved.name)}`);
    } catch (reason) {
      this.#showSave();
      if (reason instanceof ApiError && reason.problem.code === "evaluator.changed_meanwhile") return this.#bar.ask(reason.message, () => void this.#store(null));
      this.#bar.say("bad", sentenceOf(reason));
    }
  }
}

customElements.define("grader-builder", GraderBuilder);
