/** One model, or two side by side. */

import { fill, h, icon } from "../dom";
import { ADD, REMOVE } from "../icons";

export interface ModelGroup {
  label: string;
  models: string[];
}

export class ModelPicker {
  readonly element = h("div", { class: "model-picker" });

  /** `isFixed`: as many as there are, no more and no less. */
  constructor(
    readonly groups: readonly ModelGroup[],
    readonly models: string[],
    readonly changed: () => void,
    readonly isFixed = false,
  ) {
    this.#draw();
  }

  #draw(): void {
    const selects = this.models.map((model, index) => this.#select(model, index));
    const add = h("button", { type: "button", class: "button small", onclick: () => this.#add() }, icon(ADD), gettext("Compare with another"));
    const drop = h("button", { type: "button", class: "button ghost small square", title: gettext("One model alone"), "aria-label": gettext("One model alone"), onclick: () => this.#drop() }, icon(REMOVE));
    fill(this.element, ...selects, this.isFixed ? null : this.models.length < 2 ? add : drop);
  }

  #select(model: string, index: number): HTMLElement {
    const label = this.models.length === 1 ? gettext("Model") : index === 0 ? gettext("Model A") : gettext("Model B");
    const select = h("select", { class: "input small", "aria-label": label });
    select.append(...this.groups.map((group) => h("optgroup", { label: group.label }, ...group.models.map((name) => h("option", { value: name }, name)))));
    if (!this.groups.some(({ models }) => models.includes(model))) select.prepend(h("option", { value: model }, model));
    select.value = select.title = model;
    select.addEventListener("change", () => {
      this.models[index] = select.title = select.value;
      this.changed();
    });
    return h("label", { class: "picked" }, this.models.length === 1 ? null : h("span", { class: "answer-letter" }, index === 0 ? "A" : "B"), select);
  }

  /** Beside the first one the next of the list: the same model twice compares two seeds. */
  #add(): void {
    const all = this.groups.flatMap(({ models }) => models);
    this.models.push(all.find((name) => !this.models.includes(name)) ?? this.models[0] ?? "");
    this.#draw();
    this.element.querySelectorAll("select")[1]?.focus();
    this.changed();
  }

  #drop(): void {
    this.models.pop();
    this.#draw();
    this.changed();
  }
}
