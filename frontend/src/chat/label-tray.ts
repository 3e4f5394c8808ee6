/** Labels that are in no version yet: how many, the button that makes the version, and the one that takes the last back. */

import { adviceOf, ApiError } from "../api";
import { fill, h } from "../dom";
import type { Label, Standing } from "./labels";
import { mine, publish, standings, takeBack } from "./labels";

export class LabelTray {
  readonly element = h("div", { class: "label-tray", "aria-live": "polite" });
  #found: Standing[] = [];
  #said = new Map<string, (string | Node)[]>();

  /** `wanted`: the datasets that this page labels for. `undone` is told of a label that was taken back, `read` of how all
   * labels stand. */
  constructor(
    readonly wanted: () => string[],
    readonly undone: (label: Label) => void,
    readonly read: (found: readonly Standing[]) => void = () => undefined,
  ) {}

  async refresh(): Promise<void> {
    const found = await standings().catch(() => null);
    if (found === null) return;
    this.#found = found;
    this.#draw();
    this.read(found);
  }

  #draw(): void {
    const wanted = new Set(this.wanted());
    const lines = this.#found.filter(({ dataset }) => wanted.has(dataset)).map((one) => this.#line(one));
    fill(this.element, ...lines);
    this.element.hidden = lines.every((line) => line === null);
  }

  #line(one: Standing): HTMLElement | null {
    const said = this.#said.get(one.dataset);
    if (one.new === 0) return said === undefined ? null : h("div", { class: "tray-line" }, ...said);
    const counted = ngettext("%(n)s new label for %(dataset)s, not yet in a version", "%(n)s new labels for %(dataset)s, not yet in a version", one.new);
    const make = h("button", { type: "button", class: "button primary small" }, gettext("Publish"));
    make.addEventListener("click", () => void this.#publish(one.dataset, make));
    const undo = h("button", { type: "button", class: "button small", onclick: () => void this.undoLast(one.dataset) }, gettext("Undo the last"));
    return h("div", { class: "tray-line" }, h("span", { class: "grow" }, interpolate(counted, { n: one.new, dataset: one.dataset }, true), ...(said ?? [])), undo, make);
  }

  async #publish(dataset: string, button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    this.#said.delete(dataset);
    try {
      const made = await publish(dataset);
      const counted = ngettext("%(ref)s has %(n)s row.", "%(ref)s has %(n)s rows.", made.rows);
      const open = h("a", { class: "button small", href: `/datasets/${made.id}` }, gettext("Open the dataset"));
      const train = h("a", { class: "button small", href: `/jobs/new?dataset=${made.id}` }, gettext("Train on it"));
      this.#said.set(dataset, [h("span", { class: "grow" }, interpolate(counted, { ref: made.ref, n: made.rows }, true)), open, train]);
    } catch (reason) {
      this.#said.set(dataset, [h("span", { class: "error-text" }, ` ${adviceOf(reason)}`)]);
    }
    await this.refresh();
  }

  /** A person takes back his own labels alone. */
  async undoLast(dataset: string): Promise<void> {
    try {
      const [last] = await mine({ dataset }, 1);
      if (last === undefined) throw new ApiError(404, { message: gettext("These labels are other people's."), param: null, code: "", next_step: null }, null);
      await takeBack(last.id);
      this.#said.delete(dataset);
      this.undone(last);
    } catch (reason) {
      this.#said.set(dataset, [h("span", { class: "error-text" }, ` ${adviceOf(reason)}`)]);
    }
    await this.refresh();
  }
}
