/** Answers that come a line of JSON at a time. */

import { ApiError, problemIn, send } from "./api";

/** Every line as soon as it is there. An error that comes in a line is thrown like one that comes as a status. */
export async function* postLines<T>(url: string, body: unknown, signal?: AbortSignal): AsyncGenerator<T> {
  const answer = await send(url, body, signal);
  if (!answer.ok || answer.body === null) throw await refusal(answer);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    const lines = (rest + (value ?? "")).split("\n");
    rest = done ? "" : (lines.pop() ?? "");
    for (const line of lines) if (line.trim() !== "") yield read<T>(line);
    if (done) return;
  }
}

async function refusal(answer: Response): Promise<ApiError> {
  const body: unknown = await answer.json().catch(() => null);
  return new ApiError(answer.status, problemIn(body, answer.status), body);
}

function read<T>(line: string): T {
  const found = JSON.parse(line) as T & { error?: unknown };
  if (found.error !== undefined) throw new ApiError(200, problemIn(found, 200), found);
  return found;
}
