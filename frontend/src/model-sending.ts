/** A model's files on their way to the server: a part at a time, and on from where it broke off. */

import type { Problem } from "./api";
import { ApiError, csrfToken, getJson, postJson, problemIn } from "./api";

export interface Import {
  id: string;
  name: string;
  state: string;
  files: { path: string; size: number; received: number | null }[];
}

export type Files = Map<string, File>;

const PART = 8 * 1024 * 1024;
const TRIES = 8;
const IMPORTS = "/api/v1/imports";

/** Files by their paths in the folder that was chosen, without that folder's own name. */
export function byPath(chosen: Iterable<File>): Files {
  const found: Files = new Map();
  for (const file of chosen) {
    const path = file.webkitRelativePath.split("/").slice(1).join("/") || file.name;
    if (!path.split("/").some((part) => part.startsWith("."))) found.set(path, file);
  }
  return found;
}

/** The import that these files go into: one that broke off, where it announced the same ones, or a new one. */
export async function announce(name: string, files: Files): Promise<Import> {
  const { data } = await getJson<{ data: Import[] }>(`${IMPORTS}?limit=100`);
  for (const { id } of data.filter((one) => one.state === "uploading" && one.name === name)) {
    const begun = await getJson<Import>(`${IMPORTS}/${id}`);
    if (begun.files.every((file) => files.get(file.path)?.size === file.size)) return begun;
  }
  const announced = [...files].map(([path, file]) => ({ path, size: file.size }));
  const { id } = await postJson<Import>(IMPORTS, { name, source: { type: "upload", files: announced } });
  return getJson<Import>(`${IMPORTS}/${id}`);
}

/** Sends what is not there yet. `tell` hears how many bytes of all files are. */
export async function sendAll(one: Import, files: Files, tell: (done: number) => void, signal: AbortSignal): Promise<void> {
  let before = 0;
  for (const { path, size, received } of one.files) {
    let offset = received ?? 0;
    while (offset < size) {
      tell(before + offset);
      offset = await sendPart(one.id, path, files.get(path)!.slice(offset, offset + PART), offset, signal);
    }
    before += size;
  }
  tell(before);
}

/** Where the next part begins. Tried again while the server is away. */
async function sendPart(id: string, path: string, part: Blob, offset: number, signal: AbortSignal): Promise<number> {
  const url = `${IMPORTS}/${id}/files/${path.split("/").map(encodeURIComponent).join("/")}?offset=${offset}`;
  const headers = { Accept: "application/json", "Content-Type": "application/octet-stream", "X-CSRFToken": csrfToken() };
  for (let tried = 1; ; tried += 1) {
    const answer = await fetch(url, { method: "PUT", headers, body: part, signal }).catch((reason: unknown) => {
      if (signal.aborted || tried >= TRIES) throw reason;
      return null;
    });
    const body: unknown = await answer?.json().catch(() => null);
    if (answer?.ok) return (body as { received: number }).received;
    const problem: (Problem & { params?: { received?: number } }) | null = answer && problemIn(body, answer.status);
    const received = (body as { error?: { params?: { received?: number } } } | null)?.error?.params?.received;
    if (problem?.code === "upload.wrong_place" && received !== undefined) return received;
    if (answer && problem && ((answer.status < 500 && answer.status !== 429) || tried >= TRIES)) throw new ApiError(answer.status, problem, body);
    await new Promise((resolve) => setTimeout(resolve, Math.min(30_000, 500 * 2 ** tried)));
  }
}
