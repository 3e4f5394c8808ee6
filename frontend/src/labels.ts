/** The words of the contracts, as people read them. */

const STATUS: Record<string, () => string> = {
  validating_files: () => gettext("Validating files"),
  queued: () => gettext("Queued"),
  running: () => gettext("Running"),
  paused: () => gettext("Paused"),
  succeeded: () => gettext("Succeeded"),
  failed: () => gettext("Failed"),
  cancelled: () => gettext("Cancelled"),
};

const PHASE: Record<string, () => string> = {
  downloading: () => gettext("downloading"),
  loading: () => gettext("loading the model"),
  evaluating: () => gettext("evaluating"),
  training: () => gettext("training"),
  saving: () => gettext("saving"),
  uploading: () => gettext("uploading"),
};

const ROLE: Record<string, () => string> = {
  messages: () => gettext("Conversation"),
  system: () => gettext("System prompt"),
  prompt: () => gettext("Prompt"),
  completion: () => gettext("Completion"),
  chosen: () => gettext("Chosen answer"),
  rejected: () => gettext("Rejected answer"),
  label: () => gettext("Label: good or bad"),
  reference: () => gettext("Reference answer"),
  item: () => gettext("For the grader"),
  ignored: () => gettext("Ignored"),
};

const GROUP: Record<string, () => string> = {
  text: () => gettext("Text"),
  numbers: () => gettext("Numbers"),
  structure: () => gettext("Structure"),
  shape: () => gettext("Length and language"),
  models: () => gettext("Judges and reward models"),
  code: () => gettext("Code and web services"),
  composed: () => gettext("Combined"),
  other: () => gettext("Others"),
};

export function statusLabel(status: string): string {
  return STATUS[status]?.() ?? status;
}

export function phaseLabel(phase: string): string {
  return PHASE[phase]?.() ?? phase;
}

export function roleLabel(role: string): string {
  return ROLE[role]?.() ?? role;
}

/** What kinds of graders stand under. */
export function groupLabel(group: string): string {
  return GROUP[group]?.() ?? group;
}
