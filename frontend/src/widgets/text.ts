/** A line of text, or as many as there are. */

import { complete } from "../completion";
import { h } from "../dom";
import type { Emit, Widget } from "../field";
import type { Json } from "../path";
import type { Field, Node } from "../schema";
import type { Variables } from "../template-completion";
import { templateCompletion } from "../template-completion";

export function textWidget(field: Field, node: Node & { kind: "text" }, id: string, emit: Emit, variables: () => Variables): Widget {
  const wide = node.format === "template" || (node.maxLength ?? 0) > 4000;
  const input = wide
    ? h("textarea", { id, class: "input code", rows: node.format === "python" ? 6 : 1, spellcheck: "false" })
    : h("input", { id, type: "text", class: "input", autocomplete: "off" });
  if (node.nullable) input.placeholder = gettext("none");
  else if (typeof field.fallback === "string") input.placeholder = field.fallback;
  if (node.maxLength !== null && node.maxLength < 1000) input.maxLength = node.maxLength;
  input.addEventListener("input", () => emit(input.value === "" && !field.required ? undefined : input.value, null));
  if (node.format === "template") complete(input, templateCompletion(variables));
  const show = (value: Json | undefined): void => {
    // What is more than text would be lost by the first key: it is edited in the JSON.
    input.readOnly = typeof value === "object" && value !== null;
    showText(input, value === null ? "" : (value ?? templateOf(field)));
  };
  return { input, element: input, show };
}

/** A template's default is text to edit, other defaults are placeholders. */
function templateOf(field: Field): Json | undefined {
  const isTemplate = field.node.kind === "text" && field.node.format === "template";
  return isTemplate ? (field.fallback ?? undefined) : undefined;
}

export function showText(input: HTMLInputElement | HTMLTextAreaElement, value: Json | undefined): void {
  const wanted = value === undefined || value === null ? "" : textOf(value);
  const meansTheSame = document.activeElement === input && wanted !== "" && Number(input.value) === value;
  if (input.value !== wanted && !meansTheSame) input.value = wanted;
}

export function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
