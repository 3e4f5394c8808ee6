/** What many grades say together: mean, spread, histogram, errors, and how the parts go together. */

import { h } from "../dom";
import { metric, number } from "../format";

export interface Summary {
  count: number;
  not_scored: number;
  mean: number | null;
  std: number | null;
  least: number | null;
  most: number | null;
  distinct: number;
  passed: number | null;
  bins: number[];
  errors: Record<string, number>;
  slowest: [number, number][];
  parts: Record<string, number>;
  correlation: Record<string, Record<string, number>>;
}

/** `areRight`: the rows' own answers were graded, and a good grader gives them all the same. */
export function summaryCard(found: Summary, areRight = false): HTMLElement {
  const facts: [string, string][] = [
    [gettext("Mean"), metric(found.mean)],
    [gettext("Standard deviation"), metric(found.std)],
    [gettext("Not scored"), number(found.not_scored)],
  ];
  if (found.passed !== null) facts.push([gettext("Passed"), number(found.passed)]);
  for (const [flag, count] of Object.entries(found.errors)) facts.push([flag, number(count)]);
  return h(
    "div",
    { class: "summary-card" },
    h("h3", {}, interpolate(ngettext("%(n)s row", "%(n)s rows", found.count), { n: number(found.count) }, true)),
    areRight ? h("p", { class: "help" }, gettext("Each row's own answer or reference was graded as if the model had written it.")) : warning(found),
    histogram(found),
    h("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", { class: "numeric" }, value)])),
    parts(found),
    slowest(found),
  );
}

function warning(found: Summary): HTMLElement | null {
  if (found.distinct !== 1 || found.count < 2) return null;
  return h("p", { class: "grade-error" }, gettext("Every row got the same score. If the model's answers do too, there is nothing to learn from: training compares answers to the same prompt."));
}

function histogram(found: Summary): HTMLElement | null {
  if (found.bins.length === 0) return null;
  const highest = Math.max(...found.bins);
  const bars = found.bins.map((count) => bar(count, highest));
  const label = interpolate(gettext("Scores from %(least)s to %(most)s"), { least: metric(found.least), most: metric(found.most) }, true);
  return h(
    "figure",
    { class: "histogram" },
    h("div", { class: "histogram-bars", role: "img", "aria-label": label }, ...bars),
    h("figcaption", {}, h("span", { class: "numeric" }, metric(found.least)), h("span", { class: "numeric" }, metric(found.most))),
  );
}

/** Its height is set by code: the page allows no style in attributes. */
function bar(count: number, highest: number): HTMLElement {
  const made = h("span", { title: number(count) });
  made.style.height = `${Math.round((100 * count) / highest)}%`;
  return made;
}

/** Each part's mean, and the part that it goes together with most. */
function parts(found: Summary): HTMLElement | null {
  const names = Object.keys(found.parts);
  if (names.length === 0) return null;
  const rows = names.map((name) => h("tr", {}, h("td", {}, h("code", {}, name)), h("td", { class: "numeric" }, metric(found.parts[name] ?? null)), h("td", {}, closest(found.correlation[name] ?? {}))));
  const head = h("tr", {}, h("th", {}, gettext("Part")), h("th", {}, gettext("Mean")), h("th", {}, gettext("Correlation")));
  return h("table", { class: "summary-parts" }, h("thead", {}, head), h("tbody", {}, ...rows));
}

function closest(correlation: Record<string, number>): string {
  const sorted = Object.entries(correlation).sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  return sorted[0] === undefined ? "–" : `${metric(sorted[0][1])} ${sorted[0][0]}`;
}

function slowest(found: Summary): HTMLElement | null {
  const [first] = found.slowest;
  if (first === undefined) return null;
  const said = interpolate(gettext("Slowest: row %(row)s, %(ms)s ms"), { row: number(first[0] + 1), ms: metric(first[1] * 1000) }, true);
  return h("p", { class: "help" }, said);
}
