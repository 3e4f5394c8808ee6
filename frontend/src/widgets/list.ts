/** Names on one line, separated by commas. */

import { h } from "../dom";
import type { Emit, Widget } from "../field";
import type { Json } from "../path";
import type { Node } from "../schema";
import { showText, textOf } from "./text";

export function listWidget(node: Node & { kind: "list" }, id: string, emit: Emit): Widget {
  const input = h("input", { id, type: "text", class: "input code", autocomplete: "off", spellcheck: "false" });
  input.placeholder = node.keyword ?? gettext("names, separated by commas");
  input.addEventListener("input", () => {
    const typed = input.value.trim();
    if (typed === "") return emit(undefined, null);
    emit(typed === node.keyword ? typed : splitNames(typed), null);
  });
  return { input, element: input, show: (value) => showList(input, value) };
}

function splitNames(typed: string): string[] {
  return typed
    .split(/[,\s]+/)
    .map((name) => name.trim())
    .filter(Boolean);
}

/** Left alone while it already means the value: a comma that was just typed must not vanish. */
function showList(input: HTMLInputElement, value: Json | undefined): void {
  const wanted = Array.isArray(value) ? value.map(textOf) : null;
  if (wanted !== null && wanted.join(",") === splitNames(input.value).join(",")) return;
  showText(input, wanted === null ? value : wanted.join(", "));
}
