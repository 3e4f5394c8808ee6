/** What decides which fields a form has. While it stays the same, nothing is drawn anew. */

import type { Json } from "./path";
import { getAt, isObject } from "./path";
import type { Definitions, Field, Node, Schema } from "./schema";
import { readFields } from "./schema";

/** Kinds that were chosen, optional parts that are on, entries of lists, keys that nobody knows. */
export function formShape(root: Field[], whole: Json, definitions: Definitions): string {
  const found: string[] = [];
  const walk = (fields: Field[], path: string[]): void => {
    found.push(...unknownKeys(fields, getAt(whole, path)).map((name) => `${[...path, name].join(".")}?`));
    for (const field of fields) if (hasShape(field)) step(field, [...path, field.name]);
  };
  const step = ({ node, presets }: Field, path: string[]): void => {
    const key = path.join(".");
    const value = getAt(whole, path);
    if (presets !== null) found.push(`${key}=${String(value)}`);
    if (isNested(node) && node.nullable) found.push(`${key}:${isObject(value)}`);
    if (node.kind === "object") walk(node.fields, path);
    if (node.kind === "union") {
      const chosen = String(getAt(value, [node.property]));
      found.push(`${key}=${chosen}`);
      if (chosen in node.variants) walk(readFields(node.variants[chosen] as Schema, definitions), path);
    }
    if (node.kind === "rows") {
      found.push(`${key}${rowsShape(value)}`);
      const fields = node.item.kind === "object" ? node.item.fields : [];
      if (Array.isArray(value)) value.forEach((item, index) => isObject(item) && walk(fields, [...path, String(index)]));
    }
  };
  walk(root, []);
  return found.join();
}

/** Keys of an object that none of these fields is for. */
export function unknownKeys(fields: Field[], value: Json | undefined): string[] {
  if (!isObject(value)) return [];
  const known = new Set(fields.map(({ name }) => name));
  return Object.keys(value).filter((name) => !known.has(name));
}

export function isNested(node: Node): boolean {
  return node.kind === "object" || node.kind === "union";
}

function hasShape({ node, presets }: Field): boolean {
  return presets !== null || isNested(node) || node.kind === "rows";
}

/** Which entries there are, and whether each can be drawn as fields. */
function rowsShape(value: Json | undefined): string {
  if (!Array.isArray(value)) return value === undefined || value === null ? "[]" : "foreign";
  return `[${value.map((item) => (isObject(item) ? "o" : "x")).join("")}]`;
}
