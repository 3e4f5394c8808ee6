/** Messages by dotted path, and the fields that they belong to. */

export type Problems = ReadonlyMap<string, string>;

/** For each of these places the problems at it and below it, by the path from there; a problem goes to the innermost. */
export function placed(problems: Problems, places: (path: string) => boolean): Map<string, Map<string, string>> {
  const found = new Map<string, Map<string, string>>();
  for (const [path, message] of problems) {
    const place = innermost(path, places);
    if (place === null) continue;
    const inner = found.get(place) ?? new Map<string, string>();
    found.set(place, inner.set(path.slice(place.length + 1), message));
  }
  return found;
}

function innermost(path: string, places: (path: string) => boolean): string | null {
  for (let place = path; ; place = place.slice(0, place.lastIndexOf("."))) {
    if (places(place)) return place;
    if (!place.includes(".")) return null;
  }
}

/** Without those at a place and below it. */
export function without<T>(problems: ReadonlyMap<string, T>, place: string): Map<string, T> {
  return new Map([...problems].filter(([path]) => path !== place && !path.startsWith(`${place}.`)));
}

/** One sentence of the problems of a field; those inside it are named by their keys. */
export function sentence(inner: ReadonlyMap<string, string> | undefined): string | undefined {
  if (inner === undefined) return undefined;
  const own = inner.get("");
  if (own !== undefined) return own;
  return [...inner].map(([path, message]) => (/^\d+$/.test(path) ? message : `${path}: ${message}`)).join(" ");
}
