/** The head of a part of a combination: move it, fold it, name it, switch it off, copy it, take it away. */

import { h, icon } from "../dom";
import * as edits from "../grader-edits";
import { COPY, FOLD, GRIP, TRASH } from "../icons";
import type { Json } from "../path";
import { getAt } from "../path";

export interface Part {
  /** The whole document as it is now. */
  root(): Json;
  /** The path of the combination that it is a part of. */
  multi: string[];
  name: string;
  isFolded: boolean;
  id(what: string): string;
}

/** `set` takes the whole document as it is after what was done; `fold` opens and closes the card. */
export function partHead(part: Part, kind: HTMLElement, set: (root: Json) => void, fold: () => void): HTMLElement {
  const { root, multi, name } = part;
  const button = (label: string, drawing: string, work: () => Json): HTMLElement => iconButton(`${label}: ${name}`, label, drawing, () => set(work()));
  return h(
    "header",
    { class: "grader-head" },
    grip(part, set),
    foldButton(part, fold),
    nameInput(part, set),
    kind,
    onSwitch(part, set),
    button(gettext("Duplicate"), COPY, () => edits.duplicatePart(root(), multi, name)),
    button(gettext("Remove"), TRASH, () => edits.removePart(root(), multi, name)),
  );
}

function iconButton(label: string, title: string, drawing: string, work: () => void): HTMLButtonElement {
  return h("button", { type: "button", class: "button ghost small square", title, "aria-label": label, onclick: work }, icon(drawing));
}

/** Dragged with the mouse or a finger, moved with the arrow keys. */
function grip({ root, multi, name, id }: Part, set: (root: Json) => void): HTMLElement {
  const made = iconButton(`${gettext("Move")}: ${name}`, gettext("Drag to move, or use the arrow keys"), GRIP, () => undefined);
  made.classList.add("grip");
  made.id = id("grip");
  made.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = Object.keys(edits.partsOf(getAt(root(), multi))).indexOf(name);
    set(edits.movePart(root(), multi, name, at + step));
  });
  return made;
}

function foldButton({ name, isFolded, id }: Part, fold: () => void): HTMLElement {
  const made = iconButton(`${gettext("Details")}: ${name}`, gettext("Details"), FOLD, fold);
  made.classList.add("fold");
  made.id = id("fold");
  made.setAttribute("aria-expanded", String(!isFolded));
  return made;
}

function nameInput({ root, multi, name, id }: Part, set: (root: Json) => void): HTMLElement {
  const input = h("input", { class: "input small code part-name", id: id("name"), value: name, "aria-label": gettext("Name in the formula"), autocomplete: "off" });
  input.addEventListener("input", () => {
    const others = Object.keys(edits.partsOf(getAt(root(), multi))).filter((key) => key !== name);
    input.setCustomValidity(edits.nameProblem(input.value, others) ?? "");
  });
  input.addEventListener("change", () => {
    if (!input.reportValidity()) return;
    if (input.value !== name) set(edits.renamePart(root(), multi, name, input.value));
  });
  return input;
}

/** Off: the part stays and does not run. */
function onSwitch({ root, multi, name, id }: Part, set: (root: Json) => void): HTMLElement {
  const label = interpolate(gettext("%(name)s counts"), { name }, true);
  const input = h("input", { type: "checkbox", role: "switch", class: "switch", id: id("on"), "aria-label": label, title: gettext("Switch off to see the score without it") });
  input.checked = !edits.disabledIn(getAt(root(), multi)).includes(name);
  input.addEventListener("change", () => set(edits.switchPart(root(), multi, name, input.checked)));
  return input;
}
