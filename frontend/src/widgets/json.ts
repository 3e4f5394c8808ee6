/** A document inside the document: the JSON editor, which comes when it is needed. */

import { h } from "../dom";
import type { JsonEditor } from "../elements/json-editor";
import type { Emit, Widget } from "../field";
import type { Json } from "../path";
import { same } from "../path";
import type { Field } from "../schema";

export function jsonWidget(field: Field, id: string, emit: Emit): Widget {
  const element = h("div", { class: "json-field", id, tabindex: -1 });
  let editor: JsonEditor | null = null;
  let shown: Json | undefined;
  let problems: ReadonlyMap<string, string> = new Map();
  let isBroken = false;

  const listen = (made: JsonEditor): void => {
    made.addEventListener("change", (event) => {
      isBroken = false;
      shown = made.text.trim() === "" ? undefined : (event as CustomEvent<Json>).detail;
      emit(shown, null);
    });
    // What was last right stays in the document until the text is right again.
    made.addEventListener("broken", () => {
      isBroken = true;
      emit(shown, gettext("This is not JSON yet."));
    });
  };
  void import("../elements/json-editor").then(({ jsonEditor }) => {
    editor = jsonEditor(field.title);
    element.append(editor);
    editor.value = shown ?? null;
    editor.problems = problems;
    listen(editor);
  });

  const show = (value: Json | undefined): void => {
    if (isBroken && same(value, shown)) return;
    isBroken = false;
    shown = value;
    if (editor !== null) editor.value = value ?? null;
  };
  const mark = (found: ReadonlyMap<string, string>): void => {
    problems = found;
    if (editor !== null) editor.problems = found;
  };
  return { input: element, element, isGroup: true, show, mark };
}
