/** The widget of one field: an input that shows JSON and gives JSON back. */

import type { Json } from "./path";
import type { Field } from "./schema";
import type { Variables } from "./template-completion";
import { NO_VARIABLES } from "./template-completion";
import { choiceWidget, nameWidget, switchWidget } from "./widgets/choice";
import { foreignWidget } from "./widgets/foreign";
import { jsonWidget } from "./widgets/json";
import { listWidget } from "./widgets/list";
import { mapWidget } from "./widgets/map";
import { numberWidget } from "./widgets/number";
import { pairWidget } from "./widgets/pair";
import { textWidget } from "./widgets/text";

export interface Widget {
  /** What takes the focus and carries the label. */
  input: HTMLElement;
  element: HTMLElement;
  /** Whether the label names all of several inputs, each of which says what it is itself. */
  isGroup?: boolean;
  show(value: Json | undefined): void;
  /** Where in the value something is wrong, by dotted path: for what marks it by itself. */
  mark?(problems: ReadonlyMap<string, string>): void;
}

/** A value that was typed, and a sentence when it cannot be right. Undefined takes the key away. */
export type Emit = (value: Json | undefined, problem: string | null) => void;

/** What can stand in text fields of a format, where the page knows it: names of reward models, say. */
export type Known = Readonly<Record<string, readonly string[]>>;

export function makeWidget(field: Field, id: string, emit: Emit, known: Known = {}, variables = (): Variables => NO_VARIABLES): Widget {
  const { node } = field;
  if (node.kind === "number") return numberWidget(field, node, id, emit);
  if (node.kind === "choice") return choiceWidget(field, node, id, emit);
  if (node.kind === "switch") return switchWidget(id, emit);
  if (node.kind === "text") {
    const names = known[node.format ?? ""];
    return names === undefined ? textWidget(field, node, id, emit, variables) : nameWidget(names, id, emit);
  }
  if (node.kind === "list") return listWidget(node, id, emit);
  if (node.kind === "pair") return pairWidget(field, node, id, emit);
  if (node.kind === "map") return mapWidget(field, node, id, emit);
  if (node.kind === "foreign") return foreignWidget(field, id, emit);
  return jsonWidget(field, id, emit);
}
