/** Which column is what: the rules of contracts/dataset.py that the page can tell at once. Pure. */

export type Role = "messages" | "system" | "prompt" | "completion" | "reference" | "item" | "ignored";

export interface Column {
  name: string;
  role: Role;
  after?: string | null;
}

export const ROLES: readonly Role[] = ["messages", "system", "prompt", "completion", "reference", "item", "ignored"];
const ONLY_ONCE = new Set<Role>(["messages", "system", "prompt", "completion", "reference"]);

export interface MappingState {
  ready: boolean;
  sentence: string;
}

export function mappingState(columns: readonly Column[]): MappingState {
  const has = (role: Role): boolean => columns.some((column) => column.role === role);
  const twice = columns.find(({ role }, index) => ONLY_ONCE.has(role) && columns.findIndex((other) => other.role === role) < index);
  if (twice !== undefined) return { ready: false, sentence: gettext("Two columns play the same part: only one can.") };
  if (has("messages") && (has("prompt") || has("completion") || has("system"))) {
    return { ready: false, sentence: gettext("A conversation already holds prompt and answer: ignore the other columns, or map them instead of it.") };
  }
  if (has("messages")) return { ready: true, sentence: gettext("Mapping ready: each row is a conversation.") };
  if (!has("prompt")) return { ready: false, sentence: gettext("Map these columns: which one holds the prompt, or the conversation?") };
  if (has("completion")) return { ready: true, sentence: gettext("Mapping ready: prompts with answers to imitate.") };
  return { ready: true, sentence: gettext("Mapping ready: prompts for reinforcement learning.") };
}

/** The role that a column of this name has most likely; nothing is decided before a person says so. */
export function likelyRole(name: string): Role {
  const known: [RegExp, Role][] = [
    [/^messages$|^conversations?$/i, "messages"],
    [/^(prompt|question|instruction|input|query|problem)$/i, "prompt"],
    [/^(completion|response|output)$/i, "completion"],
    [/^(reference|reference_answer|answer|target|solution|label|ground_truth)$/i, "reference"],
    [/^system(_prompt)?$/i, "system"],
  ];
  return known.find(([pattern]) => pattern.test(name))?.[1] ?? "item";
}

/** What stands behind the last occurrence of `after`: the preview of what a job will see. */
export function keptText(text: string, after: string | null | undefined): string | null {
  if (!after) return text;
  const at = text.lastIndexOf(after);
  return at === -1 ? null : text.slice(at + after.length).trim();
}
