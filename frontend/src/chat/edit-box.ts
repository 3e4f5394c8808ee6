/** A text that is changed in its place: Enter keeps it, Shift with Enter is a new line, Escape leaves it as it was. */

import { h } from "../dom";

export interface EditBox {
  element: HTMLElement;
  focus(): void;
}

export function editBox(text: string, action: string, label: string, keep: (text: string) => void, leave: () => void): EditBox {
  const area = h("textarea", { class: "input edit-area", "aria-label": label, rows: 2 });
  area.value = text;
  const done = (): void => {
    if (area.value.trim() !== "") keep(area.value);
  };
  area.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") leave();
    else if (event.key === "Enter" && !event.shiftKey) done();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const buttons = h(
    "div",
    { class: "row" },
    h("button", { type: "button", class: "button primary small", onclick: done }, action),
    h("button", { type: "button", class: "button small", onclick: leave }, gettext("Leave it")),
  );
  return {
    element: h("div", { class: "edit-box" }, area, buttons),
    focus: () => {
      area.focus();
      area.setSelectionRange(text.length, text.length);
    },
  };
}
