/** The frame of a list: a card for each entry, with buttons that move and remove it, and one that adds another. */

import { h, icon } from "../dom";
import { ADD, DOWN, REMOVE, UP } from "../icons";

interface RowsOptions {
  /** Every control's id begins with it, so that the focus finds its place again. */
  id: string;
  title: string;
  /** What stands in each entry. */
  bodies: HTMLElement[][];
  /** Whether an entry is one input, on one line with its buttons. */
  isPlain: boolean;
  most: number | null;
  add(): void;
  remove(index: number): void;
  move(index: number, to: number): void;
}

export interface Rows {
  element: HTMLElement;
  adder: HTMLButtonElement;
}

export function drawRows(options: RowsOptions): Rows {
  const { id, title, bodies, most } = options;
  const list = h("div", { class: options.isPlain ? "rows plain" : "rows" }, ...bodies.map((body, index) => drawRow(options, body, index)));
  const label = `${gettext("Add")}: ${title}`;
  const isFull = most !== null && bodies.length >= most;
  const adder = h("button", { type: "button", class: "button small", id, disabled: isFull, "aria-label": label, onclick: options.add }, icon(ADD), gettext("Add"));
  return { element: h("div", { class: "rows-field" }, list, adder), adder };
}

function drawRow(options: RowsOptions, body: HTMLElement[], index: number): HTMLElement {
  const { id, title, bodies, move } = options;
  const name = `${title} ${index + 1}`;
  const button = (what: string, label: string, drawing: string, isOff: boolean, work: () => void): HTMLElement =>
    h("button", { type: "button", class: "button ghost small square", id: `${id}.${index}-${what}`, disabled: isOff, title: label, "aria-label": `${label}: ${name}`, onclick: work }, icon(drawing));
  const buttons = h(
    "div",
    { class: "row-buttons" },
    button("up", gettext("Move up"), UP, index === 0, () => move(index, index - 1)),
    button("down", gettext("Move down"), DOWN, index === bodies.length - 1, () => move(index, index + 1)),
    button("remove", gettext("Remove"), REMOVE, false, () => options.remove(index)),
  );
  const number = h("span", { class: "row-number numeric", "aria-hidden": true }, index + 1);
  const row = h("div", { class: "row-card", role: "group", "aria-label": name }, h("div", { class: "row-head" }, number, buttons), ...body);
  row.addEventListener("keydown", (event) => {
    const to = event.key === "ArrowUp" ? index - 1 : event.key === "ArrowDown" ? index + 1 : index;
    // In a select, Alt with an arrow opens it.
    if (!event.altKey || to === index || event.target instanceof HTMLSelectElement) return;
    event.preventDefault();
    event.stopPropagation();
    if (to >= 0 && to < bodies.length) move(index, to);
  });
  return row;
}
