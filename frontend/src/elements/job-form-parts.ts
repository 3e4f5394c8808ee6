/** Headings and links between the parts of the new-job page. */

import { h } from "../dom";

export function part(id: string, n: number, title: string): HTMLElement {
  return h("h2", { class: "part-title", id }, h("span", { class: "part-number", "aria-hidden": "true" }, n), title);
}

export function link(href: string, text: string): HTMLElement {
  return h("p", { class: "part-link" }, h("a", { href }, text));
}
