/** What was labelled so far, by dataset, and how far people agree. */

import { h } from "../dom";
import { metric, number, percent } from "../format";
import type { Agreement, Kind, Standing } from "./labels";

export function standingTable(found: readonly Standing[]): HTMLElement {
  if (found.length === 0) {
    return h("div", { class: "card" }, h("p", { class: "empty-line" }, gettext("No labels yet. They come from here, and from votes, thumbs and corrections in the chat.")));
  }
  const names = [gettext("Dataset"), gettext("Labels"), gettext("New"), gettext("People"), gettext("Agreement")];
  const head = h("tr", {}, ...names.map((name, at) => h("th", { scope: "col", class: at > 0 ? "right" : "" }, name)));
  return h("div", { class: "table-wrap" }, h("table", { class: "table table-cards" }, h("thead", {}, head), h("tbody", {}, ...found.map((one) => row(one, names)))));
}

function row(one: Standing, names: string[]): HTMLElement {
  const cell = (at: number, ...children: (Node | string)[]): HTMLElement => h("td", { class: "right numeric", "data-label": names[at] ?? "" }, ...children);
  return h(
    "tr",
    {},
    h("td", { class: "main-cell" }, h("span", {}, one.dataset), h("span", { class: "sub one-line" }, KINDS[one.kind]())),
    cell(1, h("div", {}, number(one.labels), h("span", { class: "help note-line" }, verdictsOf(one)))),
    cell(2, number(one.new)),
    cell(3, number(one.people)),
    h("td", { class: "right", "data-label": names[4] ?? "" }, h("div", {}, ...agreementOf(one.agreement))),
  );
}

const KINDS: Record<Kind, () => string> = {
  preference: () => gettext("pairs of answers, for DPO and reward models"),
  rating: () => gettext("good and bad answers, for KTO"),
  edit: () => gettext("corrected answers, for supervised training"),
};

/** Which side wins says whether people look at the place instead of the answer. */
function verdictsOf({ kind, verdicts }: Standing): string {
  const of = (...names: (keyof typeof verdicts)[]): string => number(names.reduce((sum, name) => sum + (verdicts[name] ?? 0), 0));
  if (kind === "preference") return interpolate(gettext("left %(a)s, right %(b)s, neither %(n)s"), { a: of("first"), b: of("second"), n: of("tie", "both_bad") }, true);
  if (kind === "rating") return interpolate(gettext("good %(good)s, bad %(bad)s"), { good: of("good"), bad: of("bad") }, true);
  return "";
}

function agreementOf(found: Agreement | null): (Node | string)[] {
  if (found === null) return [h("span", { class: "muted" }, gettext("labelled by one person so far"))];
  const shared = interpolate(gettext("%(same)s of %(n)s shared alike"), { same: percent(found.same, 0), n: number(found.shared) }, true);
  if (found.alpha === null) return [h("span", {}, shared)];
  const mood = found.alpha >= 0.667 ? "good" : found.alpha >= 0.4 ? "waiting" : "bad";
  const title = gettext("Krippendorff's alpha: 1 is full agreement, 0 is chance. Conclusions are usually drawn from 0.667 on.");
  const kappa = found.kappa === null ? null : h("span", { class: "badge", title: gettext("Cohen's kappa of the two people") }, `κ ${metric(found.kappa)}`);
  return [h("span", { class: `badge ${mood}`, title }, `α ${metric(found.alpha)}`), ...(kappa === null ? [] : [" ", kappa]), h("span", { class: "help note-line" }, shared)];
}
