/** What the builder shows before there is anything: graders that work at once, each with answers to try them on. */

import { h } from "../dom";
import type { Json } from "../path";
import type { OwnSample } from "./trial-samples";

export interface StartTemplate {
  id: string;
  title: string;
  promise: string;
  grader: Json;
  samples: OwnSample[];
}

export function builderStart(templates: readonly StartTemplate[], choose: (template: StartTemplate) => void): HTMLElement {
  const cards = templates.map((template) =>
    h("button", { type: "button", class: "kind-card", "data-template": template.id, onclick: () => choose(template) }, h("strong", {}, template.title), h("span", { class: "help" }, template.promise)),
  );
  return h(
    "div",
    { class: "builder-start" },
    h("h3", {}, gettext("Start with a reward that works")),
    h("p", { class: "help" }, gettext("Each comes with answers to try it on. Change everything afterwards.")),
    h("div", { class: "gallery" }, ...cards),
    h("h3", {}, gettext("Or with one grader")),
  );
}
