/** Asking a model: what passes by itself is asked again, as soon as the server says it is worth it. */

import { ApiError, problemIn, send } from "./api";

const PASSES = new Set(["deployment.loading", "engine.busy", "server.stopping"]);
const PATIENCE_S = 15 * 60;

/** An answer that has begun. Aborting ends the waiting, too. */
export async function patiently(url: string, body: unknown, signal: AbortSignal): Promise<Response> {
  const began = Date.now();
  for (;;) {
    const answer = await send(url, body, signal);
    if (answer.ok) return answer;
    const problem = problemIn(await answer.json().catch(() => null), answer.status);
    if (!PASSES.has(problem.code) || Date.now() - began > 1000 * PATIENCE_S) throw new ApiError(answer.status, problem, null);
    await pause(1000 * Number(answer.headers.get("retry-after") ?? 2), signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason instanceof Error ? signal.reason : new DOMException("", "AbortError"));
    });
  });
}
