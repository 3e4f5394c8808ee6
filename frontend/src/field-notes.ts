/** What stands under a field beside its help: who set its value, what is recommended, what “auto” came to. */

import { h } from "./dom";
import { number as shown } from "./format";
import type { Json } from "./path";
import type { Field, Preset } from "./schema";
import { canBeTakenAway } from "./widgets/number";
import { textOf } from "./widgets/text";

/** What “auto” came to, where the server said. */
export function autoNote(field: Field, value: Json | undefined, found: Json | undefined): HTMLElement | null {
  const isAuto = (value ?? field.fallback) === "auto";
  if (!isAuto || found === undefined || found === null || found === "auto") return null;
  return h("span", { class: "note numeric" }, interpolate(gettext("auto is %(value)s"), { value: typeof found === "number" ? number(found) : textOf(found) }, true));
}

/** What the field was before it was changed, or who set it. */
export function sourceNote(field: Field, isChanged: boolean): HTMLElement | null {
  if (!isChanged) return field.preset === null ? null : note(setBy(field.preset, field));
  const text = field.fallback === null ? gettext("none") : textOf(field.fallback as Json);
  return note(interpolate(gettext("%(source)s: %(value)s"), { source: field.preset ?? gettext("recommended"), value: text }, true));
}

/** What a preset is, and what it sets, by the titles of the fields. */
export function presetNote(preset: Preset, titleOf: (name: string) => string): HTMLElement {
  const told = Object.entries(preset.sets).map(([name, value]) => `${titleOf(name)} ${textOf(value)}`);
  const sets = told.length > 0 ? interpolate(gettext("sets %(settings)s"), { settings: told.join(" · ") }, true) : gettext("changes nothing");
  return h("span", {}, note(preset.description), note(sets));
}

// From here on a bound is the size of a number in a machine, and nothing that people come near to.
const NO_BOUND = 1e9;

/** Between which numbers a value must lie, as short as it can be said: 1 – 50, or > 0, ≤ 1. */
export function boundsNote({ help, node }: Field): HTMLElement | null {
  if (node.kind !== "number") return null;
  const { minimum: from, exclusiveMinimum: above, maximum: to, exclusiveMaximum: below } = node.bounds;
  const told = isBound(from) && isBound(to) ? `${text(from)} – ${text(to)}` : [say("≥", from), say(">", above), say("≤", to), say("<", below)].filter(Boolean).join(", ");
  return told === "" ? null : h("span", { class: "numeric" }, help === "" ? "" : " · ", h("span", { class: "nowrap" }, told));
}

function isBound(n: number | undefined): n is number {
  return n !== undefined && Math.abs(n) < NO_BOUND;
}

function say(sign: string, n: number | undefined): string {
  return isBound(n) ? `${sign} ${text(n)}` : "";
}

function text(n: number): string {
  return shown(n, 6);
}

/** Of a value that a field cannot show as one. */
export function keptNote(): HTMLElement {
  return note(gettext("This holds more than text: it is kept as it is, and edited in the JSON."));
}

// \x60 is the backtick.
const CODE = /(?<!\x60)\x60([^\x60]+)\x60(?!\x60)/;

/** What stands between backticks in a docstring is code; three of them are three of them. */
export function withCode(text: string): (string | HTMLElement)[] {
  return text.split(CODE).map((part, index) => (index % 2 === 1 ? h("code", {}, part) : part));
}

/** Who set a value; and how to take it away, where the field can be empty. */
function setBy(preset: string, { node }: Field): string {
  if (!canBeTakenAway(node)) return interpolate(gettext("set by %(preset)s"), { preset }, true);
  return interpolate(gettext("set by %(preset)s; “%(none)s” takes it away"), { preset, none: gettext("none") }, true);
}

/** Four digits of a number that was computed, written as it would be typed. */
function number(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function note(text: string): HTMLElement {
  return h("span", { class: "note" }, text);
}
