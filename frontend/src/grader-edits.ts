/** What the builder's buttons do to a grader's JSON. Pure: a document in, a document out. */

import type { Json, JsonObject } from "./path";
import { getAt, isObject, renameKey, setAt } from "./path";
import type { Definitions, Schema } from "./schema";
import { blank, readFields } from "./schema";
import { formulaOf, weightsIn } from "./weights";

export type Path = readonly string[];

export const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export interface Kinds {
  variants: Record<string, Schema>;
  definitions: Definitions;
}

/**
 * OpenAI's reference also writes the parts of a multi as a list of named graders, or as a single one: the same grader
 * with its parts by name, which is how forms and formulas know them.
 */
export function withPartsByName(grader: Json): Json {
  if (Array.isArray(grader)) return grader.map(withPartsByName);
  if (!isObject(grader)) return grader;
  const inner = Object.fromEntries(Object.entries(grader).map(([key, value]) => [key, key === "graders" ? byName(value) : key === "grader" ? withPartsByName(value) : value]));
  if (!isObject(inner["graders"])) return inner;
  return { ...inner, graders: Object.fromEntries(Object.entries(inner["graders"]).map(([name, part]) => [name, withPartsByName(part)])) };
}

function byName(parts: Json): Json {
  const list = isObject(parts) && typeof parts["type"] === "string" ? [parts] : parts;
  if (!Array.isArray(list)) return parts;
  const names = list.map((part) => getAt(part, ["name"]));
  const isNamed = names.every((name): name is string => typeof name === "string" && name !== "");
  return isNamed && new Set(names).size === names.length ? Object.fromEntries(names.map((name, n) => [name, list[n] as Json])) : parts;
}

/** A grader of this kind with every field at its default, so that its JSON says all that can be changed. */
export function newGrader(kind: string, kinds: Kinds): JsonObject {
  const schema = kinds.variants[kind];
  if (schema === undefined) return { type: kind };
  const made: JsonObject = { type: kind, ...blank(schema, kinds.definitions) };
  for (const field of readFields(schema, kinds.definitions)) {
    const isShown = field.fallback !== null && field.name !== "name";
    if (field.fallback !== undefined && isShown && !(field.name in made)) made[field.name] = field.fallback;
  }
  return kind === "multi" ? { type: "multi", graders: {}, calculate_output: "" } : made;
}

export function partsOf(grader: Json | undefined): JsonObject {
  const parts = getAt(grader, ["graders"]);
  return isObject(parts) ? parts : {};
}

export function freeName(wanted: string, taken: readonly string[]): string {
  const base = wanted.replace(/_\d+$/, "");
  if (!taken.includes(wanted)) return wanted;
  for (let n = 2; ; n += 1) if (!taken.includes(`${base}_${n}`)) return `${base}_${n}`;
}

/** Equal weights: what a formula says until someone writes another. */
export function equalWeights(names: readonly string[]): string {
  if (names.length < 2) return names[0] ?? "";
  return `(${names.join(" + ")}) / ${names.length}`;
}

/** A multi with other parts; its formula follows as long as it is still the one that was made for it, or weights. */
function withParts(multi: JsonObject, parts: JsonObject): JsonObject {
  const [before, after] = [Object.keys(partsOf(multi)), Object.keys(parts)];
  const formula = multi["calculate_output"];
  return withDisabled({ ...multi, graders: parts, calculate_output: followed(formula, before, after) ?? formula ?? "" }, (name) => after.includes(name));
}

function followed(formula: Json | undefined, before: readonly string[], after: readonly string[]): string | null {
  if (formula === "" || formula === undefined || formula === equalWeights(before)) return equalWeights(after);
  const weighted = typeof formula === "string" ? weightsIn(formula, before) : null;
  if (weighted === null) return null;
  const weights = Object.fromEntries(after.map((name) => [name, name in weighted.weights ? (weighted.weights[name] ?? null) : 1]));
  return Object.values(weights).every((weight) => weight === null) ? equalWeights(after) : formulaOf({ ...weighted, weights });
}

export function disabledIn(multi: Json | undefined): string[] {
  const disabled = getAt(multi, ["disabled"]);
  return Array.isArray(disabled) ? disabled.filter((name): name is string => typeof name === "string") : [];
}

/** The list of those switched off, without those that are not to be kept; gone when it is empty. */
function withDisabled(multi: JsonObject, keep: (name: string) => boolean): JsonObject {
  if (!Array.isArray(multi["disabled"])) return multi;
  const { disabled: _, ...rest } = multi;
  const kept = disabledIn(multi).filter(keep);
  return kept.length === 0 ? rest : { ...rest, disabled: kept };
}

function edit(root: Json, path: Path, change: (grader: JsonObject) => JsonObject): Json {
  const found = getAt(root, path);
  return isObject(found) ? setAt(root, path, change(found)) : root;
}

export function addPart(root: Json, multi: Path, kind: string, kinds: Kinds): Json {
  return edit(root, multi, (grader) => {
    const parts = partsOf(grader);
    return withParts(grader, { ...parts, [freeName(kind, Object.keys(parts))]: newGrader(kind, kinds) });
  });
}

export function removePart(root: Json, multi: Path, name: string): Json {
  return edit(root, multi, (grader) =>
    withParts(grader, Object.fromEntries(Object.entries(partsOf(grader)).filter(([key]) => key !== name))),
  );
}

export function duplicatePart(root: Json, multi: Path, name: string): Json {
  return edit(root, multi, (grader) => {
    const parts = partsOf(grader);
    const copy = freeName(name, Object.keys(parts));
    const entries = Object.entries(parts).flatMap(([key, part]) => (key === name ? [[key, part], [copy, part]] : [[key, part]]));
    return withParts(grader, Object.fromEntries(entries) as JsonObject);
  });
}

/** The part in another place among its siblings. */
export function movePart(root: Json, multi: Path, name: string, to: number): Json {
  return edit(root, multi, (grader) => {
    const entries = Object.entries(partsOf(grader));
    const from = entries.findIndex(([key]) => key === name);
    const [moved] = entries.splice(from, 1);
    if (moved === undefined) return grader;
    entries.splice(Math.max(0, Math.min(entries.length, to)), 0, moved);
    return { ...grader, graders: Object.fromEntries(entries) };
  });
}

/** A part that is switched off stays where it is and does not run. */
export function switchPart(root: Json, multi: Path, name: string, isOn: boolean): Json {
  return edit(root, multi, (grader) => {
    const others = disabledIn(grader).filter((other) => other !== name);
    return withDisabled({ ...grader, disabled: isOn ? others : [...others, name] }, () => true);
  });
}

/** Renames a part, and the name in the formula with it. */
export function renamePart(root: Json, multi: Path, from: string, to: string): Json {
  return edit(root, multi, (grader) => {
    const formula = grader["calculate_output"];
    return {
      ...grader,
      graders: renameKey(partsOf(grader), from, to),
      ...(Array.isArray(grader["disabled"]) ? { disabled: disabledIn(grader).map((name) => (name === from ? to : name)) } : {}),
      ...(typeof formula === "string" ? { calculate_output: renameInFormula(formula, from, to) } : {}),
    };
  });
}

export function renameInFormula(formula: string, from: string, to: string): string {
  return formula.replace(/[A-Za-z_][A-Za-z0-9_]*/g, (word) => (word === from ? to : word));
}

/** Why a part cannot be called this, or null. */
export function nameProblem(name: string, others: readonly string[]): string | null {
  if (!NAME.test(name)) return gettext("Letters, digits and _ only, and no digit first.");
  if (others.includes(name)) return gettext("Another grader has this name.");
  return null;
}

/** The grader as the first part of a new multi. */
export function wrapInMulti(root: Json, path: Path): Json {
  return edit(root, path, (grader) => {
    const wanted = typeof grader["name"] === "string" && NAME.test(grader["name"]) ? grader["name"] : String(grader["type"]);
    return { type: "multi", graders: { [wanted]: grader }, calculate_output: wanted };
  });
}

/** Another kind in the same place; fields that both kinds have keep their values. */
export function changeKind(root: Json, path: Path, kind: string, kinds: Kinds): Json {
  const schema = kinds.variants[kind];
  if (schema === undefined) return root;
  const names = readFields(schema, kinds.definitions).map((field) => field.name);
  return edit(root, path, (grader) => {
    const kept = Object.entries(grader).filter(([name]) => name !== "type" && names.includes(name));
    return { ...newGrader(kind, kinds), ...(Object.fromEntries(kept) as JsonObject) };
  });
}

/** Columns that the grader's templates read: `item.answer` gives "answer". Parts that are switched off read none. */
export function columnsRead(grader: Json): string[] {
  const text = JSON.stringify(running(grader) ?? null);
  const found = text.matchAll(/\{\{\s*item(?:\.([A-Za-z0-9_]+)|\[(?:'([^']+)'|\\"([^"\\]+)\\"|`([^`]+)`)\])/g);
  return [...new Set([...found].map((match) => match.slice(1).find((name) => name !== undefined) as string))];
}

function running(grader: Json | undefined): Json | undefined {
  if (!isObject(grader)) return grader;
  const off = disabledIn(grader);
  const kept = isObject(grader["graders"]) ? Object.fromEntries(Object.entries(partsOf(grader)).map(([name, part]) => [name, off.includes(name) ? null : (running(part) ?? null)])) : undefined;
  return kept === undefined ? grader : { ...grader, graders: kept };
}
