/** What can stand between {{ and }}: columns of the row, and what the model said. */

import type { Candidate, Completion, Completions } from "./completion";

export interface Variables {
  /** Columns of the dataset, where the page knows one. */
  columns: readonly string[];
  /** Whether a step of an answer is graded: what stands before it is known too. */
  isStep: boolean;
}

export const NO_VARIABLES: Variables = { columns: [], isStep: false };

const SAMPLE: Record<string, () => string> = {
  output_text: () => gettext("what the model said"),
  output_json: () => gettext("the same, read as JSON"),
  output_tools: () => gettext("its tool calls"),
  output_tokens: () => gettext("how many tokens it sampled"),
  prompt: () => gettext("the messages that were answered"),
  choices: () => gettext("the answer as OpenAI's API gives it"),
};

export function templateCompletion(variables: () => Variables): Completions {
  return (text, caret, isAsked) => {
    const tag = tagAt(text, caret);
    if (tag === null) return isAsked ? { from: caret, to: caret, candidates: candidates(variables()) } : null;
    const typed = text.slice(tag.from + 2, caret).trim();
    const whole = text.slice(tag.from, tag.to);
    const fitting = matching(candidates(variables()), typed).filter(({ insert }) => insert !== whole);
    return fitting.length === 0 ? null : { from: tag.from, to: tag.to, candidates: fitting };
  };
}

/** The tag that the caret stands in, up to its end where it has one. */
function tagAt(text: string, caret: number): Pick<Completion, "from" | "to"> | null {
  const from = text.slice(0, caret).lastIndexOf("{{");
  if (from === -1 || /[{}]/.test(text.slice(from + 2, caret))) return null;
  const end = /^(?:[^{}\n]*\}\}|[\w.]*)/.exec(text.slice(caret));
  return { from, to: caret + (end?.[0].length ?? 0) };
}

function candidates({ columns, isStep }: Variables): Candidate[] {
  const ofRow = columns.flatMap((name) => {
    const label = reach(name);
    return label === null ? [] : [candidate(`item${label}`, gettext("column of the row"))];
  });
  const ofSample = Object.entries(SAMPLE).map(([name, detail]) => candidate(`sample.${name}`, detail()));
  const before = isStep ? [candidate("sample.previous_steps", gettext("the steps before this one"))] : [];
  return [...ofRow, ...before, ...ofSample];
}

function candidate(label: string, detail: string): Candidate {
  return { label, detail, insert: `{{ ${label} }}` };
}

/** A column's name as a template writes it: with a dot, in brackets, or not at all. */
function reach(name: string): string | null {
  if (name !== "" && !/[\s.[\]'"{}]/.test(name)) return `.${name}`;
  if (/[{}]/.test(name) || (name.includes("'") && name.includes('"'))) return null;
  return name.includes("'") ? `["${name}"]` : `['${name}']`;
}

/** Those that begin with what was typed, then those that hold it; every other name holds any one letter. */
function matching(all: Candidate[], typed: string): Candidate[] {
  const wanted = dotted(typed);
  const at = ({ label }: Candidate): number => dotted(label).indexOf(wanted);
  const isFirst = (one: Candidate): boolean => at(one) === 0;
  return [...all.filter(isFirst), ...all.filter((one) => wanted.length > 1 && at(one) > 0)];
}

/** One way to write a name, to compare by. */
function dotted(text: string): string {
  return text.toLowerCase().replace(/\s*\[\s*['"]?/g, ".").replace(/['"]?\s*\]/g, "");
}
