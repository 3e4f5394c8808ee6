/** <copy-button>: puts text on the clipboard and says so. */

import { create, fill, h, icon } from "../dom";

const COPY = "M5.5 5.5v-3h8v8h-3 M2.5 5.5h8v8h-8z";
const DONE = "M3 8.5l3.2 3.2L13 4.8";

export class CopyButton extends HTMLElement {
  /** Where the text comes from; without it, the element that `for` names. */
  source: (() => string) | null = null;

  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    const label = gettext("Copy");
    const button = h("button", { type: "button", class: "button ghost small", title: label }, icon(COPY), h("span", {}, label));
    button.addEventListener("click", () => void this.#copy(button));
    this.append(button);
  }

  async #copy(button: HTMLButtonElement): Promise<void> {
    await toClipboard(this.#text());
    fill(button, icon(DONE), h("span", { role: "status" }, gettext("Copied")));
    setTimeout(() => fill(button, icon(COPY), h("span", {}, gettext("Copy"))), 1500);
  }

  #text(): string {
    if (this.source !== null) return this.source();
    return document.getElementById(this.getAttribute("for") ?? "")?.textContent?.trim() ?? "";
  }
}

/** Browsers keep the clipboard's own interface from pages without TLS: there the old command still works. */
export async function toClipboard(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = h("textarea", { class: "offscreen", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

customElements.define("copy-button", CopyButton);

export function copyButton(source: () => string): CopyButton {
  const button = create<CopyButton>("copy-button");
  button.source = source;
  return button;
}
