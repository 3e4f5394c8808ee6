/** What can stand in a formula: names of parts, and functions. */

import type { Candidate, Completions } from "./completion";

const FUNCTIONS: Record<string, () => string> = {
  min: () => gettext("the lowest"),
  max: () => gettext("the highest"),
  abs: () => gettext("without its sign"),
  floor: () => gettext("rounded down"),
  ceil: () => gettext("rounded up"),
  exp: () => gettext("e to its power"),
  sqrt: () => gettext("square root"),
  log: () => gettext("natural logarithm"),
};

export function formulaCompletion(names: () => readonly string[]): Completions {
  return (text, caret, isAsked) => {
    const before = /[A-Za-z0-9_.]*$/.exec(text.slice(0, caret))?.[0] ?? "";
    // 1e5 is a number.
    if (/^[0-9.]/.test(before) || (before === "" && !isAsked)) return null;
    const after = /^[A-Za-z0-9_]*/.exec(text.slice(caret))?.[0] ?? "";
    const isCalled = text.slice(caret + after.length).trimStart().startsWith("(");
    const fitting = candidates(names(), isCalled).filter(({ label }) => label.toLowerCase().startsWith(before.toLowerCase()));
    const others = fitting.filter(({ label }) => label !== before + after);
    return others.length === 0 ? null : { from: caret - before.length, to: caret + after.length, candidates: others };
  };
}

function candidates(names: readonly string[], isCalled: boolean): Candidate[] {
  const parts = names.map((name) => ({ label: name, detail: gettext("a grader's score"), insert: name }));
  const functions = Object.entries(FUNCTIONS).map(([name, detail]) => ({ label: name, detail: detail(), insert: isCalled ? name : `${name}(` }));
  return [...parts, ...functions];
}
