/** How the parts of a combination become one score: weights to set, or a formula to write. */

import { complete } from "../completion";
import { fill, h } from "../dom";
import { number } from "../format";
import { formulaCompletion } from "../formula-completion";
import type { Weighted } from "../weights";
import { formulaOf, shareOf, weightsIn } from "../weights";

export interface FormulaField {
  element: HTMLElement;
  show(formula: string): void;
  problem(message: string | undefined): void;
}

interface Options {
  id: string;
  title: string;
  help: string;
  names: readonly string[];
  /** Parts that are switched off: their weights wait. */
  disabled: readonly string[];
}

export function formulaField({ id, title, help, names, disabled }: Options, emit: (formula: string) => void): FormulaField {
  const area = h("textarea", { id, class: "input code", rows: 1, spellcheck: "false", "aria-describedby": `${id}-help` });
  const chips = names.map((name) => h("button", { type: "button", class: "chip code", onclick: () => insert(area, name) }, name));
  const note = h("p", { class: "help", id: `${id}-help` }, help);
  const text = h("div", { class: "formula-text" }, h("div", { class: "chips" }, ...chips), area);
  const rows = weightRows(id, names, disabled, emit);
  const tabs = modeTabs((mode) => {
    if (mode === "weights" && rows.weighted === null) return emit(equal(names));
    showMode(mode);
  });
  const element = h("div", { class: "field wide formula" }, h("div", { class: "formula-head" }, h("label", { for: id }, title), tabs.element), rows.element, text, note);
  let mode: Mode | null = null;

  const showMode = (wanted: Mode): void => {
    mode = wanted;
    tabs.show(wanted);
    rows.element.hidden = wanted !== "weights";
    text.hidden = wanted !== "formula";
    note.hidden = wanted === "weights" && !element.classList.contains("has-error");
  };
  area.addEventListener("input", () => emit(area.value));
  complete(area, formulaCompletion(() => names));

  return {
    element,
    show(formula) {
      if (area.value !== formula) area.value = formula;
      const weighted = weightsIn(formula, names);
      if (weighted === null && rows.element.contains(document.activeElement)) return; // a weight is being typed
      rows.show(weighted);
      if (weighted === null) showMode("formula");
      else showMode(mode ?? (names.length > 1 ? "weights" : "formula"));
      if (document.activeElement === area) showMode("formula");
    },
    problem(message) {
      element.classList.toggle("has-error", message !== undefined);
      area.setAttribute("aria-invalid", String(message !== undefined));
      fill(note, message ?? help);
      note.hidden = mode === "weights" && message === undefined;
    },
  };
}

type Mode = "weights" | "formula";

function modeTabs(choose: (mode: Mode) => void): { element: HTMLElement; show(mode: Mode): void } {
  const button = (mode: Mode, label: string): HTMLButtonElement => h("button", { type: "button", "aria-pressed": "false", onclick: () => choose(mode) }, label);
  const both: [Mode, HTMLButtonElement][] = [
    ["weights", button("weights", gettext("Weights"))],
    ["formula", button("formula", gettext("Formula"))],
  ];
  const element = h("div", { class: "segmented small", role: "group", "aria-label": gettext("How the parts are put together") }, ...both.map(([, each]) => each));
  const show = (mode: Mode): void => {
    for (const [name, each] of both) each.setAttribute("aria-pressed", String(name === mode));
  };
  return { element, show };
}

interface WeightRows {
  element: HTMLElement;
  readonly weighted: Weighted | null;
  show(weighted: Weighted | null): void;
}

function weightRows(id: string, names: readonly string[], disabled: readonly string[], emit: (formula: string) => void): WeightRows {
  let weighted: Weighted | null = null;
  const change = (changed: Partial<Weighted>): void => {
    if (weighted !== null) emit(formulaOf({ ...weighted, ...changed }));
  };
  const rows = names.map((name) => weightRow(`${id}-weight-${name}`, name, disabled.includes(name), (weight) => change({ weights: { ...weighted?.weights, [name]: weight } })));
  const mean = h("input", { type: "checkbox", id: `${id}-mean` });
  mean.addEventListener("change", () => change({ isMean: mean.checked }));
  const element = h(
    "div",
    { class: "weights" },
    ...rows.map((row) => row.element),
    h("label", { class: "check", for: mean.id }, mean, gettext("Divide by the sum of the weights: scores from 0 to 1 stay there")),
  );
  return {
    element,
    get weighted() {
      return weighted;
    },
    show(next) {
      weighted = next;
      if (next === null) return;
      mean.checked = next.isMean;
      for (const row of rows) row.show(next);
    },
  };
}

function weightRow(id: string, name: string, isOff: boolean, set: (weight: number | null) => void): { element: HTMLElement; show(weighted: Weighted): void } {
  const input = h("input", { class: "input small numeric", id, inputmode: "decimal", autocomplete: "off", placeholder: gettext("not counted") });
  const bar = h("span", { class: "weight-bar" }, h("span", {}));
  const share = h("span", { class: "muted numeric" });
  input.addEventListener("input", () => {
    const typed = input.value.trim();
    const isNumber = typed !== "" && Number.isFinite(Number(typed));
    input.setAttribute("aria-invalid", String(typed !== "" && !isNumber));
    if (typed === "") set(null);
    else if (isNumber) set(Number(typed));
  });
  const element = h("div", { class: isOff ? "weight-row off" : "weight-row" }, h("label", { class: "code one-line", for: id }, name), input, bar, share);
  const show = (weighted: Weighted): void => {
    const weight = weighted.weights[name] ?? null;
    const part = shareOf(name, weighted);
    if (document.activeElement !== input) input.value = weight === null ? "" : String(weight);
    (bar.firstElementChild as HTMLElement).style.width = `${(part ?? 0) * 100}%`;
    fill(share, isOff ? gettext("off") : part === null ? "" : `${number(part * 100)}%`);
  };
  return { element, show };
}

function equal(names: readonly string[]): string {
  return formulaOf({ weights: Object.fromEntries(names.map((name) => [name, 1])), isMean: true });
}

function insert(area: HTMLTextAreaElement, name: string): void {
  area.setRangeText(name, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input"));
  area.focus();
}
