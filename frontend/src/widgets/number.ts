/** A number, or the one word that may stand in its place. */

import { h } from "../dom";
import type { Emit, Widget } from "../field";
import { number as shown } from "../format";
import type { Json } from "../path";
import type { Field, Node, NumberNode } from "../schema";
import { showText, textOf } from "./text";

export function numberWidget(field: Field, node: NumberNode & { nullable: boolean }, id: string, emit: Emit): Widget {
  const input = h("input", { id, type: "text", inputmode: "decimal", autocomplete: "off", class: "input numeric" });
  input.placeholder = placeholderOf(field.fallback);
  input.addEventListener("input", () => {
    const typed = input.value.trim();
    if (typed === "") return emit(undefined, null);
    if (canBeTakenAway(node) && meansNone(typed)) return emit(null, null);
    const value = Number.isFinite(Number(typed)) ? Number(typed) : typed;
    emit(value, numberProblem(value, node));
  });
  const show = (value: Json | undefined): void => {
    if (value === null && field.fallback !== null) return showNone(input);
    showText(input, value === field.fallback ? undefined : value);
  };
  return { input, element: input, show };
}

/** Whether “none” can be typed into it: an empty field stands for what is set elsewhere, by a preset say. */
export function canBeTakenAway(node: Node): boolean {
  return node.kind === "number" && node.nullable;
}

/** In the page's language, or as it stands in Python and in JSON. */
function meansNone(typed: string): boolean {
  return [gettext("none"), "none", "null"].includes(typed.trim().toLowerCase());
}

function showNone(input: HTMLInputElement): void {
  if (!meansNone(input.value)) input.value = gettext("none");
}

function placeholderOf(fallback: Json | undefined): string {
  if (fallback === null) return gettext("none");
  return fallback === undefined ? "" : textOf(fallback);
}

/** Why a value cannot stand in a number field, or null. */
export function numberProblem(value: Json, node: NumberNode): string | null {
  if (typeof value !== "number") {
    if (value === node.keyword) return null;
    return node.keyword === null
      ? gettext("This must be a number.")
      : interpolate(gettext("This must be a number, or “%(keyword)s”."), { keyword: node.keyword }, true);
  }
  if (node.integer && !Number.isInteger(value)) return gettext("This must be a whole number.");
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = node.bounds;
  if (minimum !== undefined && value < minimum) return bound(gettext("This must be %(n)s or more."), minimum);
  if (maximum !== undefined && value > maximum) return bound(gettext("This must be %(n)s or less."), maximum);
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) {
    return bound(gettext("This must be more than %(n)s."), exclusiveMinimum);
  }
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) {
    return bound(gettext("This must be less than %(n)s."), exclusiveMaximum);
  }
  return null;
}

function bound(sentence: string, n: number): string {
  return interpolate(sentence, { n: shown(n, 6) }, true);
}
