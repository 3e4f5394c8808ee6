/** <job-form>: the new-job page. One draft; the form, the JSON and the preview are three views of it. */

import { ApiError, getJson, postJson, sentenceOf, wasAborted } from "../api";
import { debounce, fill, h, pageData } from "../dom";
import type { DraftProblem, Reward, Verdict } from "../job-draft";
import { below, buttonState, hasReward, methodOf, missingIn, tidy, withMethod } from "../job-draft";
import type { Json, JsonObject } from "../path";
import { getAt, isObject, same, setAt } from "../path";
import type { Definitions, Schema } from "../schema";
import { follow, variantsOf } from "../schema";
import type { Choice } from "./choice-field";
import { choiceField, methodCards } from "./choice-field";
import type { Chosen, EvaluatorData } from "./job-evaluator";
import { JobEvaluator } from "./job-evaluator";
import type { Fit } from "./job-preview";
import { jobFile } from "./job-file";
import { link, part } from "./job-form-parts";
import { jobPreview } from "./job-preview";
import { jsonEditor } from "./json-editor";
import { schemaForm } from "./schema-form";

interface FormData extends EvaluatorData {
  methods: Schema;
  draft: JsonObject;
  models: (Choice & { task: string })[];
  datasets: (Choice & { shape: string; columns: string[] })[];
  /** What an evaluator is to each method. */
  rewards: Record<string, Reward>;
  /** What the models of each method do: "text" or "reward". */
  makes: Record<string, string>;
  /** Why datasets of a shape do not serve a method: by shape, then by method. */
  unfit: Record<string, Record<string, string>>;
  /** The same for held-out rows, once an evaluator scores the model's answers to them. */
  unfit_held_out: Record<string, Record<string, string>>;
  pools: Choice[];
  jobs_url: string;
  new_dataset_url: string;
}

export class JobForm extends HTMLElement {
  #data!: FormData;
  #draft: JsonObject = {};
  #verdict: Verdict | null = null;
  #facts: Verdict["preview"] = {};
  #asking: AbortController | null = null;
  #trialWarning: string | null = null;
  #isSending = false;
  #isBroken = false;
  #drawnMethod = "";
  #measured = "";
  #settings = schemaForm("settings");
  #preview = jobPreview();
  #editor = jsonEditor(gettext("The job as the API takes it"));
  #file = jobFile(this.#editor);
  #choices = new Map<string, ReturnType<typeof choiceField>>();
  #methods!: ReturnType<typeof methodCards>;
  #suffix = h("input", { class: "input", id: "suffix", maxlength: 64, autocomplete: "off" });
  #seed = h("input", { class: "input numeric", id: "seed", inputmode: "numeric", autocomplete: "off" });
  #evaluator!: JobEvaluator;
  #reward = h("section", { class: "card form-part", "aria-labelledby": "part-evaluator" });
  #unfit = h("details", { class: "advanced refused", hidden: true });
  #settingsTitle = part("part-settings", 4, gettext("Settings"));
  #check = debounce(() => void this.#askServer(), 250);

  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    this.#data = pageData<FormData>(this.getAttribute("data") ?? "job-form-data");
    this.#editor.toggleAttribute("bare", true);
    this.#settings.sparse = true;
    this.#settings.flat = ["hyperparameters"];
    this.#settings.omit = ["grader", "evaluator"];
    this.#draw();
    this.#listen();
    this.#take(this.#data.draft);
  }

  get draft(): JsonObject {
    return this.#draft;
  }

  #draw(): void {
    const { models, datasets, pools } = this.#data;
    this.#methods = methodCards(this.#data.methods, (method) => this.#chooseMethod(method));
    const choice = (path: string, label: string, help: string, choices: Choice[], empty: string | null): HTMLElement => {
      const field = choiceField({ id: path.replaceAll(".", "-"), label, help, choices, empty }, (value) => this.#set(path, value));
      this.#choices.set(path, field);
      return field.element;
    };
    this.#evaluator = new JobEvaluator(this.#data, (chosen) => this.#setEvaluator(chosen), (sentence) => this.#warn(sentence));
    this.#choices.set("evaluator", this.#evaluator.choice);
    fill(this.#reward, part("part-evaluator", 3, gettext("Evaluator")), this.#evaluator.element);
    const form = h(
      "div",
      { class: "job-parts" },
      h("section", { class: "card form-part", "aria-labelledby": "part-model" }, part("part-model", 1, gettext("Model and method")), choice("model", gettext("Model"), gettext("The model to start from."), models, null), this.#methods.element),
      h("section", { class: "card form-part", "aria-labelledby": "part-dataset" }, part("part-dataset", 2, gettext("Dataset")), h("div", { class: "field-grid two" }, choice("training_file", gettext("Dataset"), gettext("The rows to train on."), datasets, null), choice("validation_file", gettext("Held-out dataset"), gettext("Rows that are never trained on; their score is the headline."), datasets, gettext("none"))), this.#unfit, link(this.#data.new_dataset_url, gettext("Upload a dataset"))),
      this.#reward,
      h("section", { class: "card form-part", "aria-labelledby": "part-settings" }, this.#settingsTitle, this.#plain(pools, choice), this.#settings),
    );
    const aside = h("aside", { class: "job-aside" }, this.#preview, h("div", { class: "card editor-card" }, this.#file));
    fill(this, form, aside);
  }

  #plain(pools: Choice[], choice: (path: string, label: string, help: string, choices: Choice[], empty: string | null) => HTMLElement): HTMLElement {
    const field = (input: HTMLElement, label: string, help: string, path: string): HTMLElement =>
      h("div", { class: "field", "data-param": path }, h("label", { for: input.id }, label), input, h("p", { class: "help", "data-help": help }, help));
    this.#seed.placeholder = gettext("drawn at random");
    return h(
      "div",
      { class: "field-grid" },
      field(this.#suffix, gettext("Name"), gettext("Becomes part of the trained model's name."), "suffix"),
      choice("resources.pool", gettext("Pool"), gettext("Where it runs. “auto” takes the smallest pool that it fits into."), pools, "auto"),
      field(this.#seed, gettext("Seed"), gettext("The same seed on the same machine gives the same model."), "seed"),
    );
  }

  #listen(): void {
    this.#suffix.addEventListener("input", () => this.#set("suffix", this.#suffix.value || undefined));
    this.#seed.addEventListener("input", () => {
      const typed = this.#seed.value.trim();
      this.#set("seed", typed === "" ? undefined : Number.isFinite(Number(typed)) ? Number(typed) : typed);
    });
    this.#settings.addEventListener("change", (event) => this.#changeBlock((event as CustomEvent<JsonObject>).detail));
    this.#editor.addEventListener("change", (event) => {
      const typed = (event as CustomEvent<Json>).detail;
      if (isObject(typed)) this.#take(typed);
      else this.#broken();
    });
    this.#editor.addEventListener("broken", () => this.#broken());
    this.#preview.addEventListener("create", () => void this.#create());
    this.#preview.addEventListener("go", (event) => this.#focus((event as CustomEvent<string>).detail));
  }

  #changeBlock(block: JsonObject): void {
    this.#take(tidy(setAt(this.#draft, ["method", methodOf(this.#draft)], block) as JsonObject));
  }

  /** A setting goes along when the other method has one that takes the same values. */
  #chooseMethod(method: string): void {
    const before = methodOf(this.#draft);
    const known = (path: string[]): boolean => {
      const field = this.#fieldAt(method, path);
      return field !== null && same(field as Json, this.#fieldAt(before, path) as Json);
    };
    this.#take(withMethod(this.#draft, method, known));
  }

  /** What a field of a method takes, without its words and defaults. */
  #fieldAt(method: string, path: string[]): Schema | null {
    const block = this.#block(method);
    if (block === null) return null;
    let found: Schema | undefined = block.schema;
    for (const name of path) found = follow(found ?? {}, block.definitions).properties?.[name];
    if (found === undefined || found.type === "null") return null;
    const { title: _title, description: _description, default: _default, level: _level, ...takes } = found;
    return path.at(-1) === "lora" ? {} : takes;
  }

  get #need(): Reward {
    return this.#data.rewards[methodOf(this.#draft)] ?? "none";
  }

  #block(method: string): { schema: Schema; definitions: Definitions } | null {
    const definitions = this.#data.methods.$defs ?? {};
    const $ref = this.#data.methods.discriminator?.mapping[method];
    const inner = $ref === undefined ? undefined : follow({ $ref }, definitions).properties?.[method];
    return inner === undefined ? null : { schema: follow(inner, definitions), definitions };
  }

  #set(path: string, value: Json | undefined): void {
    this.#take(tidy(setAt(this.#draft, path.split("."), value) as JsonObject));
  }

  /** A saved evaluator or a grader of its own: one of the two, never both. */
  #setEvaluator({ evaluator, grader }: Chosen): void {
    const block = ["method", methodOf(this.#draft)];
    const without = setAt(this.#draft, [...block, "grader"], grader ?? undefined);
    this.#take(setAt(without, [...block, "evaluator"], evaluator) as JsonObject);
  }

  /** The one way a draft comes in; every view follows. */
  #take(draft: JsonObject): void {
    this.#draft = draft;
    this.#isBroken = false;
    this.#verdict = null;
    this.#editor.value = draft;
    this.#file.draft = draft;
    this.#showForm();
    this.#showButton();
    this.#preview.verdict = null;
    if (missingIn(draft, this.#need) === null) this.#check();
    else this.#judgedAlone();
    void this.#measure();
  }

  /** How long the rows are for the model: asked once for each pair of them. */
  async #measure(): Promise<void> {
    const [dataset, model] = [this.#draft["training_file"], this.#draft["model"]];
    const query = dataset && model ? `/api/v1/datasets/${encodeURIComponent(String(dataset))}/tokens?${new URLSearchParams({ model: String(model) })}` : "";
    if (query === this.#measured) return;
    this.#measured = query;
    this.#preview.fit = null;
    if (query === "") return;
    const found = await getJson<Partial<Fit>>(query).catch((): Partial<Fit> => ({}));
    if (query === this.#measured) this.#preview.fit = found.rows ? (found as Fit) : null;
  }

  /** While something is still to be chosen there is nothing that the server could judge. */
  #judgedAlone(): void {
    this.#asking?.abort();
    this.#judged({ ready: false, problems: [], preview: { model: String(this.#draft["model"] ?? "") } });
  }

  #titleOf(method: string): string {
    return variantsOf(this.#data.methods, this.#data.methods.$defs ?? {})[method]?.title ?? method;
  }

  #broken(): void {
    this.#isBroken = true;
    this.#verdict = null;
    this.#showForm();
    this.#preview.button = { label: gettext("The JSON is not complete"), enabled: false };
  }

  #showForm(): void {
    const method = methodOf(this.#draft);
    for (const part_ of this.querySelectorAll<HTMLElement>(".form-part")) part_.inert = this.#isBroken;
    for (const [path, field] of this.#choices) field.show(getAt(this.#draft, this.#placeOf(path)));
    this.#methods.show(method);
    if (document.activeElement !== this.#suffix) this.#suffix.value = String(this.#draft["suffix"] ?? "");
    if (document.activeElement !== this.#seed) this.#seed.value = String(this.#draft["seed"] ?? "");
    this.#showReward();
    this.#showFitting(method);
    this.#showSettings(method);
  }

  #showReward(): void {
    this.#reward.hidden = this.#need === "none";
    fill(this.#settingsTitle.firstElementChild as HTMLElement, this.#reward.hidden ? 3 : 4);
    this.#evaluator.say(this.#need);
    const block = getAt(this.#draft, ["method", methodOf(this.#draft)]);
    const evaluator = getAt(block, ["evaluator"]);
    const dataset = this.#draft["training_file"];
    this.#evaluator.columns = this.#data.datasets.find(({ value }) => value === dataset)?.columns ?? [];
    this.#evaluator.show({ evaluator: typeof evaluator === "string" ? evaluator : undefined, grader: getAt(block, ["grader"]) }, typeof dataset === "string" ? dataset : null);
  }

  /** Datasets that the method cannot learn from, with the reason. */
  #showFitting(method: string): void {
    const unfit = unfitted(this.#data.datasets, this.#data.unfit, method);
    const heldOut = hasReward(this.#draft) ? unfitted(this.#data.datasets, this.#data.unfit_held_out, method) : unfit;
    const title = interpolate(gettext("Not for %(method)s"), { method: this.#titleOf(method) }, true);
    this.#choices.get("training_file")?.refuse(byValue(unfit), title);
    this.#choices.get("validation_file")?.refuse(byValue(heldOut), title);
    this.#choices.get("model")?.refuse(this.#unfitModels(method), title);
    this.#unfit.hidden = unfit.length === 0;
    const lines = unfit.map(({ label, reason }) => h("li", {}, h("strong", {}, label), h("span", { class: "help" }, reason)));
    fill(this.#unfit, h("summary", {}, title, h("span", { class: "count" }, unfit.length)), h("ul", {}, ...lines));
  }

  /** Reward models write nothing: only another reward model starts from one. */
  #unfitModels(method: string): Map<string, string> {
    if (this.#data.makes[method] !== "text") return new Map();
    const reason = gettext("It is a reward model: it scores answers and writes none.");
    return new Map(this.#data.models.filter(({ task }) => task === "reward").map(({ value }) => [value, reason]));
  }

  #showSettings(method: string): void {
    const block = this.#block(method);
    if (method !== this.#drawnMethod && block !== null) this.#settings.setSchema(block.schema, block.definitions);
    this.#drawnMethod = method;
    this.#settings.hidden = block === null;
    const value = getAt(this.#draft, ["method", method]);
    const shown = isObject(value) ? value : {};
    if (this.#settings.value !== shown) this.#settings.value = shown;
  }

  #placeOf(path: string): string[] {
    return path === "evaluator" ? ["method", methodOf(this.#draft), "evaluator"] : path.split(".");
  }

  async #askServer(): Promise<void> {
    if (this.#isBroken || missingIn(this.#draft, this.#need) !== null) return;
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    try {
      this.#judged(await postJson<Verdict>("/api/v1/jobs/check", this.#draft, asking.signal));
    } catch (reason) {
      if (wasAborted(reason)) return;
      this.#refused(reason);
    }
  }

  /** The facts of the last preview stay; what the form says in the reader's language wins over the server's words. */
  #refused(reason: unknown): void {
    const problem = reason instanceof ApiError ? reason.problem : { param: null, message: sentenceOf(reason), code: "", next_step: null };
    const inner = below(problem.param ?? "", `method.${methodOf(this.#draft)}`);
    const message = this.#settings.localProblem(inner ?? "") ?? problem.message;
    this.#judged({ ready: false, problems: [{ ...problem, message }], preview: this.#facts });
  }

  /** What a trial of the evaluator found. It forbids nothing. */
  #warn(sentence: string | null): void {
    this.#trialWarning = sentence;
    if (this.#verdict !== null) this.#preview.verdict = this.#withWarning(this.#verdict);
  }

  #withWarning(verdict: Verdict): Verdict {
    const warning = { param: `method.${methodOf(this.#draft)}.evaluator`, message: this.#trialWarning ?? "", code: "", next_step: null };
    return this.#trialWarning === null ? verdict : { ...verdict, warnings: [...(verdict.warnings ?? []), warning] };
  }

  #judged(answer: Verdict): void {
    const verdict = { ...answer, preview: { ...answer.preview, method: this.#titleOf(methodOf(this.#draft)) } };
    this.#facts = verdict.preview;
    this.#verdict = verdict;
    this.#preview.verdict = this.#withWarning(verdict);
    this.#settings.resolved = getAt(verdict.resolved, [methodOf(this.#draft)]);
    this.#showProblems(verdict.problems);
    this.#showButton();
  }

  /** A choice that was not made yet is no error: the button says it. */
  #showProblems(problems: DraftProblem[]): void {
    const named = problems.filter((problem) => problem.param !== null);
    const isOpen = (param: string): boolean => getAt(this.#draft, param.split(".")) === undefined;
    const prefix = `method.${methodOf(this.#draft)}`;
    const inSettings = named.flatMap(({ param, message }) => {
      const inner = below(param as string, prefix);
      return inner === null ? [] : [[inner, message] as const];
    });
    this.#settings.problems = new Map(inSettings);
    this.#evaluator.problems = new Map(inSettings.flatMap(([path, message]) => (path === "grader" ? [["", message] as const] : path.startsWith("grader.") ? [[path.slice("grader.".length), message] as const] : [])));
    this.#editor.problems = new Map(named.filter(({ param }) => !isOpen(param as string)).map(({ param, message }) => [param as string, message]));
    for (const [path, field] of this.#choices) {
      const place = this.#placeOf(path).join(".");
      const found = named.find(({ param }) => param === place && !isOpen(place));
      field.problem(found?.message ?? null);
    }
    this.#showPlainProblems(named);
  }

  #showPlainProblems(problems: DraftProblem[]): void {
    for (const row of this.querySelectorAll<HTMLElement>("[data-param]")) {
      const found = problems.find(({ param }) => param === row.dataset["param"]);
      const help = row.querySelector<HTMLElement>(".help") as HTMLElement;
      row.classList.toggle("has-error", found !== undefined);
      fill(help, found?.message ?? help.dataset["help"]);
    }
  }

  #showButton(): void {
    this.#preview.button = buttonState(this.#draft, this.#need, this.#verdict, this.#isSending);
  }

  #focus(param: string): void {
    const inner = below(param, `method.${methodOf(this.#draft)}`);
    if (inner !== null && this.#settings.focusField(inner)) return;
    const path = inner === "evaluator" || inner === "grader" ? "evaluator" : param;
    (this.#choices.get(path)?.element ?? this.querySelector(`[data-param="${CSS.escape(param)}"]`))?.querySelector<HTMLElement>("select,input")?.focus();
  }

  async #create(): Promise<void> {
    if (missingIn(this.#draft, this.#need) !== null || this.#isSending) return;
    this.#isSending = true;
    this.#showButton();
    try {
      const job = await postJson<{ id: string }>("/v1/fine_tuning/jobs", this.#draft);
      location.assign(`${this.#data.jobs_url}${job.id}`);
    } catch (reason) {
      this.#isSending = false;
      this.#refused(reason);
    }
  }
}

interface Unfitted {
  value: string;
  label: string;
  reason: string;
}

function unfitted(datasets: FormData["datasets"], reasons: FormData["unfit"], method: string): Unfitted[] {
  return datasets.flatMap(({ value, label, shape }) => {
    const reason = reasons[shape]?.[method];
    return reason === undefined ? [] : [{ value, label, reason }];
  });
}

function byValue(found: Unfitted[]): Map<string, string> {
  return new Map(found.map(({ value, reason }) => [value, reason]));
}

customElements.define("job-form", JobForm);
