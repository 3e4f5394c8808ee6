/** One grade for people: the score, the parts, what went wrong, what explains it, and the receipt. */

import { h } from "../dom";
import { metric } from "../format";
import type { JsonObject } from "../path";
import { isObject, pretty } from "../path";

/** The score with a colour that is also a word for those who do not see it. */
export function scoreMark(grade: JsonObject): HTMLElement {
  const score = grade["score"];
  if (typeof score !== "number") return h("span", { class: "score failed" }, gettext("not scored"));
  const class_ = score >= 1 ? "full" : score <= 0 ? "zero" : "part";
  return h("span", { class: `score ${class_} numeric` }, metric(score));
}

/** What went wrong, in the grader's own words: each flag comes with its details. */
export function errorsIn(grade: JsonObject): string[] {
  const errors = isObject(grade["errors"]) ? grade["errors"] : {};
  const flags = Object.keys(errors).filter((flag) => errors[flag] === true);
  const own = flags.map((flag) => String(errors[`${flag}_details`] ?? flag));
  const inner = subGrades(grade).flatMap(([name, part]) => errorsIn(part).map((message) => `${name}: ${message}`));
  return inner.length > 0 ? inner : own; // a combination repeats what its parts say
}

/** Addresses of this platform in a sentence can be clicked; any other stays text, as an answer may have made it up. */
export function withLinks(sentence: string): (string | HTMLElement)[] {
  const parts = sentence.split(/(https?:\/\/[^\s“”"<>]+)/);
  return parts.map((part) => (part.startsWith(`${location.origin}/`) ? h("a", { href: part }, part) : part)).filter((part) => part !== "");
}

/** What explains the score, by name, with the names of the parts before what they saw. */
export function evidenceIn(grade: JsonObject): [string, string][] {
  const evidence = isObject(grade["evidence"]) ? grade["evidence"] : {};
  const own = Object.entries(evidence).map(([name, seen]): [string, string] => [name, typeof seen === "string" ? seen.trim() : JSON.stringify(seen)]);
  const inner = subGrades(grade).flatMap(([part, sub]) => evidenceIn(sub).map(([name, seen]): [string, string] => [`${part}.${name}`, seen]));
  return [...own, ...inner];
}

export function subGrades(grade: JsonObject): [string, JsonObject][] {
  const sub = isObject(grade["sub"]) ? grade["sub"] : {};
  return Object.entries(sub).filter((entry): entry is [string, JsonObject] => isObject(entry[1]));
}

/** Score, parts, errors, what explains it, and the receipt. */
export function wholeGrade(grade: JsonObject): HTMLElement {
  return h(
    "div",
    { class: "grade" },
    h("div", { class: "grade-total" }, h("span", {}, gettext("Score")), scoreMark(grade)),
    ...subGrades(grade).map(([name, part]) => h("div", { class: "grade-part" }, h("code", {}, name), scoreMark(part))),
    ...errorsIn(grade).map((message) => h("p", { class: "grade-error" }, ...withLinks(message))),
    ...evidenceIn(grade).map(([name, seen]) => h("div", { class: "grade-evidence" }, h("code", {}, name), h("span", {}, seen))),
    h("details", { class: "receipt" }, h("summary", {}, gettext("Receipt")), h("pre", { class: "code" }, pretty(grade))),
  );
}
