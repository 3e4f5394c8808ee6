/** The bar above the builder: name, note, undo, files, what is to be mended, and Save. */

import { fill, h, icon } from "../dom";
import { download } from "../download";
import { REDO, UNDO } from "../icons";
import type { Json } from "../path";
import { pretty } from "../path";

interface Actions {
  undo(): void;
  redo(): void;
  /** A file's text. */
  read(text: string): void;
  /** The grader as it is now. */
  document(): Json;
  save(): void;
  renamed(): void;
}

export interface BuilderBar {
  element: HTMLElement;
  name: string;
  readonly note: string;
  say(mood: "good" | "bad" | "", sentence: string): void;
  showHistory(canUndo: boolean, canRedo: boolean): void;
  showSave(isValid: boolean): void;
  pressSave(): void;
  /** Work of an earlier visit. */
  offer(at: number, restore: () => void, discard: () => void): void;
  /** Somebody else saved meanwhile: save all the same, or not. */
  ask(sentence: string, save: () => void): void;
}

export function builderBar(actions: Actions): BuilderBar {
  const name = h("input", { class: "input", id: "evaluator-name", name: "name", autocomplete: "off", maxlength: 64, required: true });
  const note = h("input", { class: "input", id: "evaluator-note", name: "note", autocomplete: "off", maxlength: 500 });
  const save = h("button", { type: "button", class: "button primary", disabled: true, title: "Ctrl+S", onclick: () => actions.save() }, gettext("Save"));
  const state = h("p", { class: "builder-state", role: "status" });
  const step = (label: string, keys: string, drawing: string, work: () => void): HTMLButtonElement =>
    h("button", { type: "button", class: "button ghost small square", title: `${label} (${keys})`, "aria-label": label, disabled: true, onclick: work }, icon(drawing));
  const undo = step(gettext("Undo"), "Ctrl+Z", UNDO, () => actions.undo());
  const redo = step(gettext("Redo"), "Ctrl+Shift+Z", REDO, () => actions.redo());
  const above = h("div", { class: "builder-offers" });
  const row = h(
    "div",
    { class: "builder-bar" },
    h("div", { class: "field" }, h("label", { for: name.id }, gettext("Name")), name),
    h("div", { class: "field grow" }, h("label", { for: note.id }, gettext("What changed (optional)")), note),
    h("div", { class: "builder-tools" }, undo, redo, importButton(actions), exportButton(actions, name)),
    state,
    save,
  );
  name.addEventListener("input", () => actions.renamed());

  return {
    element: h("div", { class: "builder-top" }, row, above),
    get name() {
      return name.value.trim();
    },
    set name(value) {
      name.value = value;
    },
    get note() {
      return note.value.trim();
    },
    say(mood, sentence) {
      state.className = `builder-state ${mood}`;
      fill(state, sentence);
    },
    showHistory(canUndo, canRedo) {
      undo.disabled = !canUndo;
      redo.disabled = !canRedo;
    },
    showSave(isValid) {
      const isNamed = name.value.trim() !== "";
      save.disabled = !isValid || !isNamed;
      fill(save, isValid && !isNamed ? gettext("Give it a name") : gettext("Save"));
    },
    pressSave: () => save.click(),
    offer(at, restore, discard) {
      const said = interpolate(gettext("There are changes of %(when)s that were not saved."), { when: new Date(at).toLocaleString(document.documentElement.lang || "en") }, true);
      fill(above, offerLine(said, [[gettext("Restore"), restore], [gettext("Discard"), discard]], () => fill(above)));
    },
    ask(sentence, saveAnyway) {
      fill(above, offerLine(sentence, [[gettext("Save mine as the next version"), saveAnyway], [gettext("Keep editing"), () => undefined]], () => fill(above)));
      above.querySelector("button")?.focus();
    },
  };
}

function offerLine(sentence: string, choices: [string, () => void][], close: () => void): HTMLElement {
  const buttons = choices.map(([label, work]) =>
    h("button", { type: "button", class: "button small", onclick: () => (close(), work()) }, label),
  );
  return h("div", { class: "notice waiting", role: "alert" }, h("p", {}, sentence), ...buttons);
}

function importButton(actions: Actions): HTMLElement {
  const input = h("input", { type: "file", accept: ".json,application/json", class: "hidden-file", id: "import-grader", tabindex: -1, "aria-hidden": "true" });
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    if (file !== undefined) void file.text().then((text) => actions.read(text));
    input.value = "";
  });
  const button = h("button", { type: "button", class: "button small", title: gettext("Open a grader's JSON from a file"), onclick: () => input.click() }, gettext("Import"));
  return h("span", {}, button, input);
}

function exportButton(actions: Actions, name: HTMLInputElement): HTMLElement {
  const save = (): void => download(`${name.value.trim() || "grader"}.json`, pretty(actions.document()), "application/json");
  return h("button", { type: "button", class: "button small", title: gettext("Download the JSON as it is now"), onclick: save }, gettext("Export"));
}
