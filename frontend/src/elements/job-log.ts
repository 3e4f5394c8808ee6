/** <job-log> and <job-events>: what the page was served with, and what comes after it. */

import { h } from "../dom";
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

export class JobEvents extends HTMLElement {
  connectedCallback(): void {
    const list = this.querySelector("ol");
    if (list === null) return;
    JobStream.of(this.getAttribute("job") ?? "").listen(Number(this.getAttribute("after") ?? 0), (event) => {
      const sentence = sentenceFor(event);
      if (sentence === null) return;
      list.prepend(h("li", { class: "is-new" }, h("time", { class: "numeric" }, clock(event.at)), h("span", {}, sentence)));
      this.querySelector(".empty-line")?.remove();
    });
  }
}

/** One line for the list; metrics and log lines have their own places. */
export function sentenceFor(event: JobEvent): string | null {
  const step = number(event.step ?? 0);
  if (event.type === "status") return statusLabel(String(event["to"] ?? ""));
  if (event.type === "phase") return event["fraction"] == null ? sentenceCase(phaseLabel(String(event["name"]))) : null;
  if (event.type === "attempt") return interpolate(gettext("A new attempt began from step %(step)s"), { step: number(Number(event["from_step"] ?? 0)) }, true);
  if (event.type === "checkpoint") return interpolate(gettext("Checkpoint of step %(step)s saved"), { step }, true);
  if (event.type === "evaluation") return interpolate(gettext("Held-out data evaluated at step %(step)s: %(values)s"), { step, values: valuesOf(event) }, true);
  if (event.type === "finished") return gettext("Training finished");
  return null;
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
