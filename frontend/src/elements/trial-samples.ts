/** Answers of one's own: each with the columns that the grader reads, and what the grader says of it. */

import { fill, freshId, h, icon } from "../dom";
import { COPY, TRASH } from "../icons";
import type { Json, JsonObject } from "../path";
import { pretty } from "../path";
import { scoreMark, wholeGrade } from "./grade-card";

export type Says = "right" | "wrong" | "half";

export interface OwnSample {
  sample: JsonObject;
  item: JsonObject;
  /** What somebody who knows says of it, and why. */
  says?: Says | undefined;
  why?: string | undefined;
}

interface Drawn {
  own: OwnSample;
  element: HTMLElement;
  fields: HTMLElement;
  mark: HTMLElement;
  grade: HTMLElement;
  shown: string;
}

const SAYS: Record<Says, () => string> = {
  right: () => gettext("right"),
  wrong: () => gettext("wrong"),
  half: () => gettext("half right"),
};

export class TrialSamples {
  readonly element = h("div", { class: "own-samples" });
  #list = h("div", { class: "own-list" });
  #drawn: Drawn[] = [];
  #columns: readonly string[] = [];

  constructor(readonly changed: () => void) {
    const add = h("button", { type: "button", class: "button small", onclick: () => this.#add({ sample: { output_text: "" }, item: {} }) }, gettext("Add an answer"));
    fill(this.element, this.#list, add);
    this.samples = [{ sample: { output_text: "" }, item: {} }];
  }

  get samples(): OwnSample[] {
    return this.#drawn.map(({ own }) => own);
  }

  set samples(samples: OwnSample[]) {
    this.#drawn = samples.map((own) => this.#draw(own));
    this.#place();
  }

  /** The columns that the grader reads: each is a field of every sample. */
  set columns(columns: readonly string[]) {
    this.#columns = columns;
    for (const drawn of this.#drawn) this.#drawFields(drawn);
  }

  /** What the grader gave, in the order of the samples. */
  showGrades(grades: readonly JsonObject[]): void {
    this.#drawn.forEach((drawn, n) => {
      const grade = grades[n];
      if (grade === undefined) return;
      fill(drawn.mark, scoreMark(grade));
      const isOpen = drawn.grade.querySelector("details")?.open ?? false;
      fill(drawn.grade, wholeGrade(grade));
      drawn.grade.querySelector("details")?.toggleAttribute("open", isOpen);
    });
  }

  #place(): void {
    fill(this.#list, ...this.#drawn.map(({ element }) => element));
    const isOnly = this.#drawn.length === 1;
    for (const { element } of this.#drawn) element.querySelector("[data-removes]")?.toggleAttribute("hidden", isOnly);
    if (isOnly) this.#drawn[0]?.element.setAttribute("open", "");
  }

  #add(own: OwnSample, after: Drawn | null = null): void {
    const drawn = this.#draw(own);
    drawn.element.setAttribute("open", "");
    this.#drawn.splice(after === null ? this.#drawn.length : this.#drawn.indexOf(after) + 1, 0, drawn);
    this.#place();
    drawn.element.querySelector("textarea")?.focus();
    this.changed();
  }

  #draw(own: OwnSample): Drawn {
    const mark = h("span", { class: "own-mark" });
    const summary = h("summary", {}, mark, h("span", { class: "one-line own-text" }), own.says ? h("span", { class: `badge says-${own.says}` }, SAYS[own.says]()) : null);
    const fields = h("div", { class: "own-fields" });
    const grade = h("div", { class: "own-grade", "aria-live": "polite" });
    const buttons = h("div", { class: "own-buttons" });
    const element = h("details", { class: "own-sample" }, summary, own.why ? h("p", { class: "help" }, own.why) : null, fields, grade, buttons);
    const drawn: Drawn = { own, element, fields, mark, grade, shown: "" };
    const button = (label: string, drawing: string, work: () => void): HTMLElement =>
      h("button", { type: "button", class: "button ghost small square", title: label, "aria-label": label, onclick: work }, icon(drawing));
    const remove = button(gettext("Remove this answer"), TRASH, () => this.#remove(drawn));
    remove.dataset["removes"] = "";
    fill(buttons, button(gettext("Duplicate this answer"), COPY, () => this.#add(structuredClone({ ...own, says: undefined, why: undefined }), drawn)), remove);
    this.#drawFields(drawn);
    return drawn;
  }

  #remove(drawn: Drawn): void {
    this.#drawn = this.#drawn.filter((other) => other !== drawn);
    this.#place();
    this.changed();
  }

  #drawFields(drawn: Drawn): void {
    const { own, fields, element } = drawn;
    const names = [...new Set([...this.#columns, ...Object.keys(own.item)])];
    const shape = names.join("\u001f");
    const line = element.querySelector(".own-text") as HTMLElement;
    const showLine = (): void => void fill(line, String(own.sample["output_text"] ?? "") || gettext("(empty answer)"));
    showLine();
    if (drawn.shown === shape && fields.childElementCount > 0) return;
    drawn.shown = shape;
    const more = Object.entries(own.sample).filter(([name]) => name !== "output_text");
    fill(
      fields,
      textField(gettext("Answer of the model"), "sample.output_text", String(own.sample["output_text"] ?? ""), 3, (text) => {
        own.sample = { ...own.sample, output_text: text };
        showLine();
        this.changed();
      }),
      ...more.map(([name, value]) => valueField(`sample.${name}`, value, (next) => void ((own.sample = { ...own.sample, [name]: next }), this.changed()))),
      ...names.map((name) => valueField(`item.${name}`, own.item[name] ?? "", (next) => void ((own.item = { ...own.item, [name]: next }), this.changed()))),
    );
  }
}

function textField(label: string, path: string, value: string, rows: number, set: (text: string) => void): HTMLElement {
  const id = freshId("own");
  const area = h("textarea", { class: "input code", id, rows, spellcheck: "false" });
  area.value = value;
  area.addEventListener("input", () => set(area.value));
  return h("div", { class: "field wide" }, h("label", { for: id, title: path }, label), area);
}

/** Text as text; anything else as JSON, which may be wrong while it is typed. */
function valueField(path: string, value: Json, set: (value: Json) => void): HTMLElement {
  if (typeof value === "string") return textField(path, path, value, value.includes("\n") ? 3 : 1, set);
  const field = textField(path, path, pretty(value), Math.min(6, pretty(value).split("\n").length), (text) => {
    try {
      set(JSON.parse(text) as Json);
      field.querySelector("textarea")?.removeAttribute("aria-invalid");
    } catch {
      field.querySelector("textarea")?.setAttribute("aria-invalid", "true");
    }
  });
  return field;
}
