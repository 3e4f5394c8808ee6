/** <job-log> and <job-events>: what the page was served with, and what comes after it. */

import { h, pageData } from "../dom";
import { clock, metric, number } from "../format";
import type { JobEvent } from "../job-stream";
import { JobStream } from "../job-stream";
import { phaseLabel, statusLabel } from "../labels";

const MOST_CHARACTERS = 200_000;

export class JobLog extends HTMLElement {
  connectedCallback(): void {
    const box = this.querySelector("pre");
    if (box === null) return;
    box.scrollTop = box.scrollHeight;
    JobStream.of(this.getAttribute("job") ?? "").listen(Number(this.getAttribute("after") ?? 0), (event) => {
      if (event.type === "log") this.#add(box, String(event["text"] ?? ""));
    });
  }

  /** Follows the end unless somebody has scrolled up to read. */
  #add(box: HTMLElement, text: string): void {
    const follows = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    box.append(text.endsWith("\n") ? text : `${text}\n`);
    this.querySelector(".empty-line")?.remove();
    box.hidden = false;
    if ((box.textContent ?? "").length > MOST_CHARACTERS) box.textContent = (box.textContent ?? "").slice(-MOST_CHARACTERS / 2);
    if (follows) box.scrollTop = box.scrollHeight;
  }
}

/** The list is drawn here from events as the server keeps them, so that each sentence is written once. */
export class JobEvents extends HTMLElement {
  #list = h("ol", { class: "events" });

  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    this.append(this.#list);
    for (const event of pageData<JobEvent[]>(this.getAttribute("data") ?? "job-events-data")) this.#add(event);
    JobStream.of(this.getAttribute("job") ?? "").listen(Number(this.getAttribute("after") ?? 0), (event) => this.#add(event));
  }

  #add(event: JobEvent): void {
    const sentence = sentenceFor(event);
    if (sentence !== null) this.#list.prepend(h("li", {}, h("time", { class: "numeric" }, clock(event.at)), h("span", {}, sentence)));
  }
}

/** One line for the list; metrics and log lines have their own places. */
export function sentenceFor(event: JobEvent): string | null {
  const step = number(event.step ?? 0);
  if (event.type === "status") return statusLabel(String(event["to"] ?? ""));
  if (event.type === "phase") return event["fraction"] == null ? sentenceCase(phaseLabel(String(event["name"]))) : null;
  if (event.type === "attempt") return attemptSentence(event);
  if (event.type === "checkpoint") return interpolate(gettext("Checkpoint of step %(step)s saved"), { step }, true);
  if (event.type === "evaluation") return interpolate(gettext("Held-out data evaluated at step %(step)s: %(values)s"), { step, values: valuesOf(event) }, true);
  if (event.type === "finished") return gettext("Training finished");
  return null;
}

function attemptSentence(event: JobEvent): string {
  const values = { worker: String(event["worker"] ?? ""), step: number(Number(event["from_step"] ?? 0)) };
  return interpolate(gettext("%(worker)s took the job, from step %(step)s"), values, true);
}

function valuesOf(event: JobEvent): string {
  return Object.entries(event.values ?? {})
    .map(([key, value]) => `${key} ${metric(value)}`)
    .join(", ");
}

function sentenceCase(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

customElements.define("job-log", JobLog);
customElements.define("job-events", JobEvents);
