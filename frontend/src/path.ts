/** Reading and changing JSON by dotted path, without touching the original. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function getAt(value: Json | undefined, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((inner, key) => {
    if (Array.isArray(inner)) return inner[Number(key)];
    return isObject(inner) ? inner[key] : undefined;
  }, value);
}

/** A copy with `replacement` at `path`; undefined takes the key away. Objects on the way are made when missing. */
export function setAt(value: Json | undefined, path: readonly string[], replacement: Json | undefined): Json {
  const [key, ...rest] = path;
  if (key === undefined) return replacement ?? null;
  if (Array.isArray(value)) {
    return value.map((inner, index) => (String(index) === key ? setAt(inner, rest, replacement) : inner));
  }
  const base: JsonObject = isObject(value) ? value : {};
  if (rest.length === 0 && replacement === undefined) {
    return Object.fromEntries(Object.entries(base).filter(([name]) => name !== key));
  }
  return { ...base, [key]: setAt(base[key], rest, replacement) };
}

/** The list without one of its entries. */
export function taken(list: readonly Json[], index: number): Json[] {
  return list.filter((_, at) => at !== index);
}

/** The list with one of its entries at another place. */
export function moved(list: readonly Json[], from: number, to: number): Json[] {
  const rest = taken(list, from);
  return [...rest.slice(0, to), ...list.slice(from, from + 1), ...rest.slice(to)];
}

export function same(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((value, index) => same(value, right[index]));
  }
  if (!isObject(left) || !isObject(right)) return false;
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => key in right && same(left[key], right[key]));
}

/** The same, and its keys in the same order: what a person sees. */
export function isWrittenAlike(left: Json, right: Json): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}

/** The object with its keys in the same order, one of them under another name. */
export function renameKey(value: JsonObject, from: string, to: string): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key === from ? to : key, inner]));
}

/** Python's `str.format` paths and pydantic's: "graders.a.input" or "graders[0].input". */
export function splitPath(path: string): string[] {
  return path.replace(/\[(\w+)\]/g, ".$1").split(".").filter(Boolean);
}

export function pretty(value: Json): string {
  return JSON.stringify(value, null, 2);
}
