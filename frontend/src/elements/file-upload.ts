/** <file-upload next="/datasets/">: drop a file, see it go, and hear which line is broken. */

import type { Problem } from "../api";
import { csrfToken, problemIn } from "../api";
import { fill, h, icon } from "../dom";
import { bytes, percent } from "../format";

const ARROW = "M8 11V3 M4.5 6.5L8 3l3.5 3.5 M2.5 11v2.5h11V11";

export class FileUpload extends HTMLElement {
  #input = h("input", { type: "file", id: "upload-file", class: "offscreen", accept: ".jsonl,.json,.ndjson" });
  #zone = h("label", { class: "drop-zone", for: "upload-file" });
  #state = h("div", { class: "upload-state", "aria-live": "polite" });
  #request: XMLHttpRequest | null = null;

  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    fill(this.#zone, icon(ARROW), h("strong", {}, gettext("Drop a JSONL file here, or choose one")), h("span", { class: "help" }, gettext("One JSON object a line. Nothing is kept of a file with a broken line.")));
    this.append(this.#input, this.#zone, this.#state);
    this.#input.addEventListener("change", () => this.#take(this.#input.files?.[0]));
    for (const type of ["dragenter", "dragover"] as const) this.#zone.addEventListener(type, (event) => this.#hover(event, true));
    this.#zone.addEventListener("dragleave", (event) => this.#hover(event, false));
    this.#zone.addEventListener("drop", (event) => {
      this.#hover(event, false);
      this.#take(event.dataTransfer?.files[0]);
    });
    addEventListener("beforeunload", (event) => {
      if (this.#request !== null) event.preventDefault();
    });
  }

  #hover(event: DragEvent, isOver: boolean): void {
    event.preventDefault();
    this.#zone.classList.toggle("is-over", isOver);
  }

  #take(file: File | undefined): void {
    if (file === undefined || this.#request !== null) return;
    const request = new XMLHttpRequest();
    const bar = h("progress", { class: "progress", max: 1, value: 0, "aria-label": gettext("Upload") });
    const line = h("span", { class: "numeric muted" });
    const cancel = h("button", { type: "button", class: "button small", onclick: () => request.abort() }, gettext("Cancel"));
    fill(this.#state, h("div", { class: "upload-run" }, h("strong", { class: "one-line" }, file.name), bar, line, cancel));
    request.upload.addEventListener("progress", (event) => this.#progress(event, file, bar, line));
    request.addEventListener("load", () => this.#answered(request));
    request.addEventListener("abort", () => this.#ended(gettext("The upload was cancelled. Nothing of it was kept."), null));
    request.addEventListener("error", () => this.#ended(gettext("The upload broke off."), gettext("Send the file again. Nothing of it was kept.")));
    this.#send(request, file);
  }

  #send(request: XMLHttpRequest, file: File): void {
    const form = new FormData();
    form.append("purpose", "fine-tune");
    const dataset = this.getAttribute("dataset");
    if (dataset) form.append("dataset", dataset);
    form.append("file", file);
    request.open("POST", "/v1/files");
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("Accept", "application/json");
    this.#request = request;
    this.#zone.classList.add("is-busy");
    request.send(form);
  }

  #progress(event: ProgressEvent, file: File, bar: HTMLProgressElement, line: HTMLElement): void {
    const share = event.total > 0 ? event.loaded / event.total : 0;
    bar.value = share;
    const isSent = event.loaded >= event.total;
    fill(line, isSent ? gettext("Sent. Checking every line…") : `${percent(share, 0)} · ${bytes(file.size)}`);
    if (isSent) bar.removeAttribute("value");
  }

  #answered(request: XMLHttpRequest): void {
    const body = parsed(request.responseText);
    if (request.status < 300) {
      this.#request = null;
      location.assign(`${this.getAttribute("next") ?? "/datasets/"}${(body as { id: string }).id}`);
      return;
    }
    const problem: Problem = problemIn(body, request.status);
    this.#ended(problem.message, problem.next_step);
  }

  #ended(message: string, nextStep: string | null): void {
    this.#request = null;
    this.#input.value = "";
    this.#zone.classList.remove("is-busy");
    fill(this.#state, h("div", { class: "notice bad", role: "alert" }, h("strong", {}, message), nextStep ? h("span", {}, nextStep) : null));
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

customElements.define("file-upload", FileUpload);
