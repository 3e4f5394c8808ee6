/** A key that the schema does not know: shown as it is, and kept until somebody removes it. */

import { fill, h } from "../dom";
import type { Emit, Widget } from "../field";
import { pretty } from "../path";
import type { Field } from "../schema";

export function foreignWidget(field: Field, id: string, emit: Emit): Widget {
  const text = h("pre", { class: "code wrap" });
  const label = `${gettext("Remove")}: ${field.title}`;
  const input = h("button", { type: "button", class: "button small", id, "aria-label": label, onclick: () => emit(undefined, null) }, gettext("Remove"));
  const element = h("div", { class: "foreign-value" }, text, input);
  return { input, element, isGroup: true, show: (value) => void fill(text, pretty(value ?? null)) };
}
