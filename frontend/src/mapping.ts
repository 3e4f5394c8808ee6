/** Which column is what: the rules of contracts/dataset/ that the page can tell at once. Pure. */

export type Role = "messages" | "system" | "prompt" | "completion" | "chosen" | "rejected" | "label" | "reference" | "item" | "ignored";

export interface Column {
  name: string;
  role: Role;
  after?: string | null;
}

export const ROLES: readonly Role[] = ["messages", "system", "prompt", "completion", "chosen", "rejected", "label", "reference", "item", "ignored"];
const AS_OFTEN_AS_NEEDED = new Set<Role>(["item", "ignored"]);

export interface MappingState {
  ready: boolean;
  sentence: string;
}

export function mappingState(columns: readonly Column[]): MappingState {
  const has = (role: Role): boolean => columns.some((column) => column.role === role);
  const twice = columns.find(({ role }, index) => !AS_OFTEN_AS_NEEDED.has(role) && columns.findIndex((other) => other.role === role) < index);
  if (twice !== undefined) return no(gettext("Two columns play the same part: only one can."));
  if (has("messages") && (has("prompt") || has("completion") || has("system"))) {
    return no(gettext("A conversation already holds prompt and answer: ignore the other columns, or map them instead of it."));
  }
  if (has("chosen") || has("rejected")) return pairState(has);
  if (has("label") && !has("completion") && !has("messages")) return no(gettext("A label judges an answer: which column holds the answer?"));
  if (!has("messages") && !has("prompt")) return no(gettext("Map these columns: which one holds the prompt, or the conversation?"));
  if (has("label")) return yes(gettext("Mapping ready: answers that are labelled as good or bad."));
  if (has("messages")) return yes(gettext("Mapping ready: each row is a conversation."));
  if (has("completion")) return yes(gettext("Mapping ready: prompts with answers to imitate."));
  return yes(gettext("Mapping ready: prompts for reinforcement learning."));
}

function pairState(has: (role: Role) => boolean): MappingState {
  if (!has("chosen")) return no(gettext("A pair needs two answers: which column holds the better one?"));
  if (!has("rejected")) return no(gettext("A pair needs two answers: which column holds the worse one?"));
  if (has("completion") || has("label")) return no(gettext("A pair already says which answer is better: ignore completion and label."));
  if (has("messages") || has("prompt")) return yes(gettext("Mapping ready: pairs of a better and a worse answer."));
  return yes(gettext("Mapping ready: pairs of conversations that begin with the same prompt."));
}

const yes = (sentence: string): MappingState => ({ ready: true, sentence });
const no = (sentence: string): MappingState => ({ ready: false, sentence });

/** The role that a column of this name has most likely; nothing is decided before a person says so. */
export function likelyRole(name: string): Role {
  const known: [RegExp, Role][] = [
    [/^messages$|^conversations?$/i, "messages"],
    [/^(chosen|preferred|preferred_output|better|winner)$/i, "chosen"],
    [/^(rejected|non_preferred|non_preferred_output|worse|loser)$/i, "rejected"],
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
