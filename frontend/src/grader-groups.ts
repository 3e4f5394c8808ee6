/** Which kinds of graders belong together, as their schemas say. */

import type { Kinds } from "./grader-edits";
import { groupLabel } from "./labels";

export interface Group {
  title: string;
  kinds: string[];
}

/** In the order in which the kinds were written down; a kind without a group stands among the others, last. */
export function groupsOf(kinds: Kinds): Group[] {
  const found = new Map<string, string[]>();
  for (const [kind, schema] of Object.entries(kinds.variants)) {
    const group = schema.group ?? "other";
    found.set(group, [...(found.get(group) ?? []), kind]);
  }
  const named = [...found].sort(([a], [b]) => Number(a === "other") - Number(b === "other"));
  return named.map(([group, names]) => ({ title: groupLabel(group), kinds: names }));
}
