/** Names and their texts, a line for each. */

import { fill, h, icon } from "../dom";
import type { Emit, Widget } from "../field";
import { ADD, REMOVE } from "../icons";
import type { Json, JsonObject } from "../path";
import { isObject, pretty, same } from "../path";
import type { Field, Node } from "../schema";
import { textOf } from "./text";

interface Line {
  name: HTMLInputElement;
  text: HTMLInputElement;
  /** What stood there: a value that is no text stays as it is until somebody types. */
  value: Json;
  row: HTMLElement;
}

export function mapWidget(field: Field, node: Node & { kind: "map" }, id: string, emit: Emit): Widget {
  const list = h("ul", { class: "map-lines" });
  const foreign = h("pre", { class: "code wrap", hidden: true });
  const adder = h("button", { type: "button", class: "button small", id, "aria-label": `${gettext("Add")}: ${field.title}` }, icon(ADD), gettext("Add"));
  const element = h("div", { class: "map-field" }, list, foreign, adder);
  let lines: Line[] = [];

  const typed = (): void => {
    const problem = mark(lines);
    const value = valueOf(lines);
    emit(Object.keys(value).length === 0 ? undefined : value, problem);
  };
  const remove = (line: Line): void => {
    const at = lines.indexOf(line);
    lines = lines.filter((each) => each !== line);
    line.row.remove();
    (lines[at] ?? lines[at - 1])?.name.focus();
    if (lines.length === 0) adder.focus();
    typed();
    limit();
  };
  const add = (name: string, value: Json): Line => {
    const line = makeLine(name, value, typed, remove);
    lines.push(line);
    list.append(line.row);
    return line;
  };
  const limit = (): void => void (adder.disabled = node.most !== null && lines.length >= node.most);
  adder.addEventListener("click", () => {
    add("", "").name.focus();
    limit();
  });

  const show = (value: Json | undefined): void => {
    const isForeign = value !== undefined && value !== null && !isObject(value);
    foreign.hidden = !isForeign;
    adder.hidden = isForeign;
    fill(foreign, isForeign ? pretty(value) : "");
    const wanted = isObject(value) ? value : {};
    if (same(valueOf(lines), wanted)) return;
    lines = [];
    fill(list);
    for (const [name, text] of Object.entries(wanted)) add(name, text);
    limit();
  };
  return { input: adder, element, isGroup: true, show };
}

function makeLine(name: string, value: Json, typed: () => void, remove: (line: Line) => void): Line {
  const input = (label: string, text: string): HTMLInputElement =>
    h("input", { type: "text", class: "input code", value: text, "aria-label": label, placeholder: label, autocomplete: "off", spellcheck: "false" });
  const button = h("button", { type: "button", class: "button ghost small square" }, icon(REMOVE));
  const line: Line = { name: input(gettext("Name"), name), text: input(gettext("Value"), textOf(value)), value, row: h("li", {}) };
  const title = (): void => button.setAttribute("aria-label", `${gettext("Remove")}: ${line.name.value}`);
  title();
  line.row.append(line.name, line.text, button);
  line.name.addEventListener("input", () => {
    title();
    typed();
  });
  line.text.addEventListener("input", () => {
    line.value = line.text.value;
    typed();
  });
  button.addEventListener("click", () => remove(line));
  return line;
}

/** A line without a name is not in the document yet; of two with the same name, the first one is. */
function valueOf(lines: Line[]): JsonObject {
  const named = lines.filter(({ name }, index) => name.value !== "" && !isTwice(lines, index));
  return Object.fromEntries(named.map(({ name, value }) => [name.value, value]));
}

function isTwice(lines: Line[], index: number): boolean {
  return lines.findIndex(({ name }) => name.value === lines[index]?.name.value) < index;
}

/** Marks the names that cannot stand, and says why. */
function mark(lines: Line[]): string | null {
  let said: string | null = null;
  lines.forEach(({ name, text }, index) => {
    const isNameless = name.value === "" && text.value !== "";
    const isWrong = isNameless || (name.value !== "" && isTwice(lines, index));
    name.setAttribute("aria-invalid", String(isWrong));
    if (!isWrong) return;
    said ??= isNameless ? gettext("A name is missing.") : interpolate(gettext("“%(name)s” stands here twice."), { name: name.value }, true);
  });
  return said;
}
