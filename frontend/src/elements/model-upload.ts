/** <model-upload next="/models">: choose a model's folder, and send it. */

import { ApiError, sentenceOf, wasAborted } from "../api";
import { fill, h, icon } from "../dom";
import { bytes, percent } from "../format";
import type { Files } from "../model-sending";
import { announce, byPath, sendAll } from "../model-sending";

const ARROW = "M8 11V3 M4.5 6.5L8 3l3.5 3.5 M2.5 11v2.5h11V11";

export class ModelUpload extends HTMLElement {
  #input = h("input", { type: "file", id: "upload-folder", class: "offscreen", multiple: true, webkitdirectory: true });
  #zone = h("label", { class: "drop-zone", for: "upload-folder" });
  #name = h("input", { class: "input", id: "upload-name", maxlength: 200, spellcheck: "false", autocomplete: "off", required: true });
  #send = h("button", { class: "button primary" }, gettext("Upload"));
  #state = h("div", { class: "upload-state", "aria-live": "polite" });
  #form = h("form", { class: "stack", hidden: true });
  #files: Files = new Map();
  #sending: AbortController | null = null;

  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    fill(this.#zone, icon(ARROW), h("strong", {}, gettext("Choose the model's folder")), h("span", { class: "help" }, gettext("As transformers' save_pretrained writes it. What broke off goes on when you choose the same folder again.")));
    this.#form.append(h("div", { class: "field" }, h("label", { for: "upload-name" }, gettext("Name here")), this.#name), h("div", {}, this.#send));
    this.append(this.#input, this.#zone, this.#form, this.#state);
    this.#input.addEventListener("change", () => this.#take(byPath(this.#input.files ?? [])));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#start();
    });
    addEventListener("beforeunload", (event) => {
      if (this.#sending !== null) event.preventDefault();
    });
  }

  #take(files: Files): void {
    if (files.size === 0 || this.#sending !== null) return;
    this.#files = files;
    this.#name.value ||= this.#input.files?.[0]?.webkitRelativePath.split("/")[0] ?? "";
    this.#form.hidden = false;
    const size = [...files.values()].reduce((sum, file) => sum + file.size, 0);
    const count = interpolate(ngettext("%(n)s file", "%(n)s files", files.size), { n: files.size }, true);
    fill(this.#state, h("p", { class: "help numeric" }, `${count} · ${bytes(size)}`));
  }

  async #start(): Promise<void> {
    if (this.#sending !== null) return;
    const sending = (this.#sending = new AbortController());
    this.#send.disabled = true;
    this.#zone.classList.add("is-busy");
    try {
      const one = await announce(this.#name.value.trim(), this.#files);
      const total = one.files.reduce((sum, file) => sum + file.size, 0);
      await sendAll(one, this.#files, this.#progress(total, sending), sending.signal);
      this.#sending = null;
      location.assign(this.getAttribute("next") ?? "/models");
    } catch (reason) {
      this.#ended(reason);
    }
  }

  #progress(total: number, sending: AbortController): (done: number) => void {
    const bar = h("progress", { class: "progress", max: total || 1, value: 0, "aria-label": gettext("Upload") });
    const line = h("span", { class: "numeric muted" });
    const stop = h("button", { type: "button", class: "button small", onclick: () => sending.abort() }, gettext("Stop"));
    fill(this.#state, h("div", { class: "upload-run" }, h("strong", { class: "one-line" }, this.#name.value), bar, line, stop));
    return (done) => {
      bar.value = done;
      fill(line, `${percent(total > 0 ? done / total : 1, 0)} · ${bytes(total)}`);
    };
  }

  #ended(reason: unknown): void {
    this.#sending = null;
    this.#send.disabled = false;
    this.#zone.classList.remove("is-busy");
    const stopped = wasAborted(reason);
    const message = stopped ? gettext("The upload was stopped.") : sentenceOf(reason);
    const next = stopped ? gettext("Upload goes on where it was.") : reason instanceof ApiError ? reason.problem.next_step : null;
    fill(this.#state, h("div", { class: stopped ? "notice" : "notice bad", role: "alert" }, h("strong", {}, message), next ? h("span", {}, next) : null));
  }
}

customElements.define("model-upload", ModelUpload);
