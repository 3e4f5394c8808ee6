/** <job-live job="…" after="…">: the tiles, the progress bar and the status of a job, as it runs. */

import { debounce, fill, h } from "../dom";
import { change, duration, metric, number, percent } from "../format";
import type { Curves, Point } from "../curves";
import type { JobEvent } from "../job-stream";
import { JobStream } from "../job-stream";
import { phaseLabel, statusLabel } from "../labels";
import { refreshParts } from "../refresh";

interface Tile {
  name: string;
  value: string;
  note: string;
  mood?: "good" | "bad" | undefined;
}

const RUNNING = new Set(["running", "queued", "validating_files", "paused"]);

/** What changes the list of checkpoints. An evaluation may come after its checkpoint, where an attempt owed it. */
const REDRAWN_AFTER = new Set(["checkpoint", "attempt", "evaluation"]);

export class JobLive extends HTMLElement {
  #stream!: JobStream;
  #status = "";
  #phase = "";
  #tiles = h("div", { class: "tiles" });
  #bar = h("progress", { class: "progress", max: 1, value: 0 });
  #box = h("div", { class: "progress-box" });
  #line = h("p", { class: "progress-line" });
  #frame = 0;
  #refresh = debounce(() => void refreshParts(), 300);

  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    this.#status = this.getAttribute("status") ?? "";
    this.#phase = this.getAttribute("phase") ?? "";
    this.#stream = JobStream.of(this.getAttribute("job") ?? "");
    this.#bar.setAttribute("aria-label", gettext("Progress"));
    this.#box.append(this.#bar, this.#line);
    this.append(this.#box, this.#tiles);
    this.#stream.listen(Number(this.getAttribute("after") ?? 0), (event) => this.#hear(event));
    this.#stream.addEventListener("connection", () => this.#soon());
    void this.#stream.load().then((curves) => {
      curves.onChange(() => this.#soon());
      this.#draw();
    }, () => undefined);
  }

  #hear(event: JobEvent): void {
    if (event.type === "phase") this.#phase = String(event["name"] ?? "");
    if (event.type === "metrics") this.#phase = "training";
    if (REDRAWN_AFTER.has(event.type)) this.#refresh();
    if (event.type === "status") this.#moved(String(event["to"] ?? ""));
    this.#soon();
  }

  /** What a job is in its new state, the server draws: why it waits, faults, the trained model. */
  #moved(status: string): void {
    this.#status = status;
    for (const pill of document.querySelectorAll<HTMLElement>("[data-job-status]")) {
      pill.dataset["status"] = status;
      fill(pill, statusLabel(status));
    }
    this.#refresh();
  }

  #soon(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw(): void {
    const curves = this.#stream.curves;
    if (curves === null) return;
    const total = curves.steps_total;
    this.#bar.value = total > 0 ? Math.min(1, curves.step / total) : 0;
    this.#box.hidden = !RUNNING.has(this.#status);
    fill(this.#line, this.#where(curves), this.#stream.connection === "lost" ? h("span", { class: "warning" }, gettext("Connection lost, trying again…")) : null);
    fill(this.#tiles, ...tilesOf(curves, this.#status).map(drawTile));
  }

  #where({ step, steps_total }: Curves): string {
    const steps = interpolate(gettext("Step %(step)s of %(total)s"), { step: number(step), total: number(steps_total) }, true);
    return this.#status === "running" && this.#phase ? `${steps} · ${phaseLabel(this.#phase)}` : steps;
  }
}

/** What the numbers so far come to; a tile without a number is left out. */
export function tilesOf(curves: Curves, status: string): Tile[] {
  const seconds = curves.secondsPerStep;
  const left = seconds === null ? null : seconds * (curves.steps_total - curves.step);
  const found: (Tile | null)[] = [
    heldOut(gettext("Held-out accuracy"), curves.evaluations.get("accuracy"), percent),
    heldOut(gettext("Held-out reward"), curves.evaluations.get("reward_mean"), metric),
    heldOut(gettext("Held-out right pairs"), curves.evaluations.get("pair_accuracy"), percent),
    heldOut(gettext("Held-out margin"), curves.evaluations.get("margin"), metric),
    heldOut(gettext("Held-out loss"), curves.metrics.has("reward") ? undefined : curves.evaluations.get("loss"), metric, true),
    rewardTile(curves.metrics.get("reward")),
    lossTile(curves),
    plain(gettext("Right pairs"), curves.metrics.get("rewards/accuracies"), percent, gettext("of the last batches")),
    plain(gettext("Margin"), curves.metrics.get("rewards/margins"), metric, gettext("of the last batches")),
    plain(gettext("Explained variance"), curves.metrics.get("explained_variance"), metric, gettext("of the critic")),
    plain(gettext("Token accuracy"), curves.metrics.has("rewards/margins") ? undefined : curves.metrics.get("mean_token_accuracy"), percent, ""),
    plain(gettext("KL"), curves.metrics.get("kl"), metric, ""),
    plain(gettext("Mean length"), curves.metrics.get("completions/mean_length"), (value) => number(value, 1), gettext("tokens")),
    seconds === null ? null : { name: gettext("Step time"), value: duration(seconds), note: gettext("median of the last 20") },
    status === "running" && left !== null ? { name: gettext("Time left"), value: duration(left), note: gettext("training steps only") } : null,
  ];
  return found.filter((tile) => tile !== null);
}

function rewardTile(points: readonly Point[] | undefined): Tile | null {
  const last = recent(points);
  const first = points?.[0]?.[1];
  if (last === null || first === undefined) return null;
  return { name: gettext("Reward"), value: metric(last), note: since(last - first), mood: mood(last - first) };
}

function lossTile(curves: Curves): Tile | null {
  if (curves.metrics.has("reward")) return null;
  const points = curves.metrics.get("loss");
  const last = recent(points);
  const first = points?.[0]?.[1];
  if (last === null || first === undefined) return null;
  return { name: gettext("Loss"), value: metric(last), note: since(last - first), mood: mood(first - last) };
}

/** Mean of the last five: one step's reward jumps about. */
function recent(points: readonly Point[] | undefined): number | null {
  const last = (points ?? []).slice(-5).map(([, value]) => value);
  return last.length === 0 ? null : last.reduce((sum, value) => sum + value, 0) / last.length;
}

function heldOut(name: string, points: readonly Point[] | undefined, show: (value: number) => string, lowerIsBetter = false): Tile | null {
  const first = points?.[0];
  const last = points?.at(-1);
  if (first === undefined || last === undefined) return null;
  const gain = (last[1] - first[1]) * (lowerIsBetter ? -1 : 1);
  const note = points?.length === 1 ? gettext("before training") : interpolate(gettext("%(first)s before training"), { first: show(first[1]) }, true);
  return { name, value: show(last[1]), note, mood: mood(gain) };
}

function plain(name: string, points: readonly Point[] | undefined, show: (value: number) => string, note: string): Tile | null {
  const last = recent(points);
  return last === null ? null : { name, value: show(last), note };
}

function since(difference: number): string {
  return interpolate(gettext("%(change)s since the first step"), { change: change(difference) }, true);
}

function mood(gain: number): Tile["mood"] {
  if (Math.abs(gain) < 1e-9) return undefined;
  return gain > 0 ? "good" : "bad";
}

function drawTile({ name, value, note, mood: feeling }: Tile): HTMLElement {
  return h("div", { class: `tile ${feeling ?? ""}` }, h("span", { class: "tile-name" }, name), h("strong", { class: "tile-value numeric" }, value), h("span", { class: "tile-note numeric" }, note));
}

customElements.define("job-live", JobLive);
