/** Two numbers that belong together, like the ends of a range. */

import { h } from "../dom";
import type { Emit, Widget } from "../field";
import type { Json } from "../path";
import { pretty } from "../path";
import type { Field, Node } from "../schema";
import { numberProblem } from "./number";
import { showText, textOf } from "./text";

export function pairWidget(field: Field, node: Node & { kind: "pair" }, id: string, emit: Emit): Widget {
  const [from, to] = [numberInput(id, gettext("from")), numberInput(`${id}-to`, gettext("to"))];
  const ends = Array.isArray(field.fallback) ? field.fallback : [];
  const typed = (): void => {
    const read = [from, to].map(({ value }) => readEnd(value));
    if (read.every((value) => value === null)) return emit(undefined, null);
    const whole = read.map((value, index) => value ?? ends[index] ?? null);
    const problems = whole.map((value, index) => numberProblem(value, node.items[index as 0 | 1]));
    emit(whole, problems.find((problem) => problem !== null) ?? null);
  };
  [from, to].forEach((input, index) => {
    input.placeholder = ends[index] === undefined ? "" : textOf(ends[index]);
    input.addEventListener("input", typed);
  });
  const foreign = h("code", { hidden: true });
  const element = h("div", { class: "pair" }, from, h("span", { "aria-hidden": true }, "–"), to, foreign);
  const show = (value: Json | undefined): void => {
    const isPair = value === undefined || value === null || (Array.isArray(value) && value.length === 2);
    foreign.hidden = isPair;
    foreign.textContent = isPair ? "" : pretty(value);
    [from, to].forEach((input, index) => showText(input, isPair && Array.isArray(value) ? value[index] : undefined));
  };
  return { input: from, element, isGroup: true, show };
}

function numberInput(id: string, label: string): HTMLInputElement {
  return h("input", { id, type: "text", inputmode: "decimal", autocomplete: "off", class: "input numeric", "aria-label": label });
}

function readEnd(text: string): Json {
  const typed = text.trim();
  if (typed === "") return null;
  return Number.isFinite(Number(typed)) ? Number(typed) : typed;
}
