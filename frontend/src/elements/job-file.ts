/** <job-file>: a job as the file that the API and the command line take, as YAML or JSON. What it holds is the JSON. */

import { dump } from "js-yaml";

import { create, fill, h } from "../dom";
import { download } from "../download";
import type { Json } from "../path";
import { pretty } from "../path";
import { copyButton } from "./copy-button";

type Form = "yaml" | "json";
const TYPES: Record<Form, string> = { yaml: "application/yaml", json: "application/json" };

export class JobFile extends HTMLElement {
  #draft: Json = null;
  #form: Form = "json";
  #json = h("div");
  #yaml = h("pre", { class: "code wrap", tabindex: 0, "aria-label": "job.yaml" });
  #tabs = (["yaml", "json"] as const).map((form) => ({ form, tab: this.#tab(form) }));
  #keep = h("button", { type: "button", class: "button ghost small", onclick: () => this.#download() });

  connectedCallback(): void {
    if (this.contains(this.#json)) return;
    const written = this.textContent ?? "";
    if (written !== "") this.#draft = JSON.parse(written) as Json;
    this.#json.append(...this.childNodes);
    const tabs = h("div", { class: "segmented", role: "group", "aria-label": gettext("Form of the file") }, ...this.#tabs.map(({ tab }) => tab));
    const bar = h("div", { class: "file-bar" }, tabs, h("span", { class: "file-keep" }, copyButton(() => this.text), this.#keep));
    fill(this, bar, this.#json, this.#yaml);
    this.#show(this.getAttribute("form") === "yaml" ? "yaml" : "json");
  }

  set draft(draft: Json) {
    this.#draft = draft;
    if (this.#form === "yaml") this.#write();
  }

  /** As it is shown, copied and kept. */
  get text(): string {
    return this.#form === "yaml" ? toYaml(this.#draft) : `${pretty(this.#draft)}\n`;
  }

  #tab(form: Form): HTMLButtonElement {
    return h("button", { type: "button", onclick: () => this.#show(form) }, form.toUpperCase());
  }

  #show(form: Form): void {
    this.#form = form;
    for (const each of this.#tabs) each.tab.setAttribute("aria-pressed", String(each.form === form));
    this.#json.hidden = form !== "json";
    this.#yaml.hidden = form !== "yaml";
    fill(this.#keep, interpolate(gettext("Download %(file)s"), { file: `job.${form}` }, true));
    if (form === "yaml") this.#write();
  }

  #write(): void {
    fill(this.#yaml, this.text);
  }

  #download(): void {
    download(`job.${this.#form}`, this.text, TYPES[this.#form]);
  }
}

/** As PyYAML, with which the command line reads, reads it back: what it would take for something else is quoted. */
export function toYaml(document: Json): string {
  return dump(document, { lineWidth: -1 });
}

customElements.define("job-file", JobFile);

export function jobFile(json: HTMLElement): JobFile {
  const element = create<JobFile>("job-file");
  element.append(json);
  return element;
}
