/** The one way to the server: JSON with the CSRF token, and errors that name their field. */

export interface Problem {
  message: string;
  param: string | null;
  code: string;
  next_step: string | null;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
    readonly body: unknown,
  ) {
    super(problem.message);
  }
}

export async function getJson<T>(url: string, signal?: AbortSignal): Promise<T> {
  return read<T>(await fetch(url, { headers: { Accept: "application/json" }, ...(signal ? { signal } : {}) }));
}

export async function postJson<T>(url: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return read<T>(await send(url, body, signal));
}

export async function patchJson<T>(url: string, body: unknown): Promise<T> {
  return read<T>(await send(url, body, undefined, "PATCH"));
}

export async function remove(url: string): Promise<void> {
  await read<null>(await send(url, undefined, undefined, "DELETE"));
}

export function send(url: string, body: unknown, signal?: AbortSignal, method = "POST"): Promise<Response> {
  return fetch(url, {
    method,
    headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  });
}

async function read<T>(answer: Response): Promise<T> {
  const body: unknown = await answer.json().catch(() => null);
  if (answer.ok) return body as T;
  throw new ApiError(answer.status, problemIn(body, answer.status), body);
}

/** The server's sentence, or one of ours when something between us and it answered instead. */
export function problemIn(body: unknown, status: number): Problem {
  const error = (body as { error?: Partial<Problem> } | null)?.error;
  return {
    message: error?.message ?? interpolate(gettext("The server answered with status %(status)s."), { status }, true),
    param: error?.param ?? null,
    code: error?.code ?? `http.${status}`,
    next_step: error?.next_step ?? (error?.message ? null : gettext("Try again; if it stays, look at the server's log.")),
  };
}

/** What to say when no answer came at all. */
export function sentenceOf(reason: unknown): string {
  if (reason instanceof ApiError) return reason.message;
  return gettext("The server cannot be reached. Check the connection; nothing is lost.");
}

/** The same, with what to do next. */
export function adviceOf(reason: unknown): string {
  const next = reason instanceof ApiError ? reason.problem.next_step : null;
  return next ? `${sentenceOf(reason)} ${next}` : sentenceOf(reason);
}

export function csrfToken(): string {
  const found = /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie);
  return found?.[1] ?? "";
}

export function wasAborted(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === "AbortError";
}
