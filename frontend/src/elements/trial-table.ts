/** Many graded rows: sorted, filtered, a page at a time. */

import { debounce, fill, h } from "../dom";
import { metric, number } from "../format";
import type { JsonObject } from "../path";
import { getAt, pretty } from "../path";
import { errorsIn, scoreMark, wholeGrade } from "./grade-card";
import { pager } from "./pager";

export interface GradedRow {
  row: number;
  sample: JsonObject;
  item: JsonObject;
  grade: JsonObject;
}

export type Order = "row" | "worst" | "best" | "slowest";
export type Which = "all" | "unscored" | "flagged" | "zero" | "failed" | "passed";

const PER_PAGE = 20;

/** The rows that are wanted, in the order that is wanted; rows that were not scored come first where scores decide. */
export function arranged(rows: readonly GradedRow[], order: Order, which: Which, text: string): GradedRow[] {
  const wanted = text.trim().toLowerCase();
  const found = rows.filter((row) => isOf(which, row.grade) && (wanted === "" || wordsOf(row).includes(wanted)));
  const by = (key: (row: GradedRow) => number): GradedRow[] => found.sort((a, b) => key(a) - key(b) || a.row - b.row);
  if (order === "worst") return by(({ grade }) => scoreOf(grade) ?? -Infinity);
  if (order === "best") return by(({ grade }) => -(scoreOf(grade) ?? -Infinity));
  if (order === "slowest") return by(({ grade }) => -Number(grade["time_s"] ?? 0));
  return by(({ row }) => row);
}

function isOf(which: Which, grade: JsonObject): boolean {
  const score = scoreOf(grade);
  const tests: Record<Which, () => boolean> = {
    all: () => true,
    unscored: () => score === null,
    flagged: () => errorsIn(grade).length > 0,
    zero: () => score !== null && score <= 0,
    failed: () => grade["passed"] === false,
    passed: () => grade["passed"] === true,
  };
  return tests[which]();
}

function scoreOf(grade: JsonObject): number | null {
  return typeof grade["score"] === "number" ? grade["score"] : null;
}

function wordsOf({ sample, item }: GradedRow): string {
  return `${String(sample["output_text"] ?? "")}\n${JSON.stringify(item)}`.toLowerCase();
}

export class TrialTable {
  readonly element = h("div", { class: "trial-table" });
  #rows: GradedRow[] = [];
  #offset = 0;
  #order = h("select", { class: "input small", "aria-label": gettext("Order") });
  #which = h("select", { class: "input small", "aria-label": gettext("Which rows") });
  #search = h("input", { class: "input small", type: "search", placeholder: gettext("Find in answers and rows"), "aria-label": gettext("Find in answers and rows") });
  #body = h("div", {});

  constructor() {
    const orders: Record<Order, string> = { row: gettext("In order"), worst: gettext("Worst first"), best: gettext("Best first"), slowest: gettext("Slowest first") };
    const kinds: Record<Which, string> = { all: gettext("All rows"), unscored: gettext("Not scored"), flagged: gettext("With an error"), zero: gettext("Score 0 or less"), failed: gettext("Not passed"), passed: gettext("Passed") };
    this.#order.append(...Object.entries(orders).map(([value, label]) => h("option", { value }, label)));
    this.#which.append(...Object.entries(kinds).map(([value, label]) => h("option", { value }, label)));
    for (const select of [this.#order, this.#which]) select.addEventListener("change", () => this.#restart());
    this.#search.addEventListener("input", debounce(() => this.#restart(), 120));
    fill(this.element, h("div", { class: "table-bar" }, this.#order, this.#which, this.#search), this.#body);
  }

  get rows(): readonly GradedRow[] {
    return this.#rows;
  }

  start(): void {
    this.#rows = [];
    this.#offset = 0;
    this.#show();
  }

  add(rows: readonly GradedRow[]): void {
    const isFull = this.#rows.length >= this.#offset + PER_PAGE;
    this.#rows.push(...rows);
    // While rows still come, a page that is full and in their own order need not be drawn again.
    if (!isFull || this.#order.value !== "row" || this.#which.value !== "all" || this.#search.value !== "") this.#show();
  }

  /** All have come. */
  finish(): void {
    this.#show();
  }

  #restart(): void {
    this.#offset = 0;
    this.#show();
  }

  #show(): void {
    const found = arranged(this.#rows, this.#order.value as Order, this.#which.value as Which, this.#search.value);
    const page = found.slice(this.#offset, this.#offset + PER_PAGE);
    if (page.length === 0) {
      const said = this.#rows.length === 0 ? gettext("No rows yet.") : gettext("No row is like this.");
      return void fill(this.#body, h("p", { class: "empty-line" }, said));
    }
    const go = (offset: number): void => {
      this.#offset = offset;
      this.#show();
    };
    const pages = found.length > PER_PAGE ? pager(this.#offset, PER_PAGE, found.length, go) : null;
    fill(this.#body, h("div", { class: "trial-rows" }, ...page.map(rowCard)), pages);
  }
}

function rowCard({ row, sample, item, grade }: GradedRow): HTMLElement {
  const answer = String(getAt(sample, ["output_text"]) ?? "");
  const time = Number(grade["time_s"] ?? 0) * 1000;
  const summary = h("summary", {}, scoreMark(grade), h("span", { class: "one-line" }, answer || gettext("(empty answer)")), h("span", { class: "muted numeric nowrap" }, number(row + 1)));
  const details = h("details", { class: "trial-row" }, summary);
  details.addEventListener("toggle", () => {
    if (details.childElementCount > 1) return;
    const took = interpolate(gettext("Row %(row)s · %(ms)s ms"), { row: number(row + 1), ms: metric(time) }, true);
    details.append(h("p", { class: "help" }, took), h("pre", { class: "code wrap" }, answer), wholeGrade(grade), h("h4", {}, gettext("Row of the dataset")), h("pre", { class: "code wrap" }, pretty(item)));
  });
  return details;
}
