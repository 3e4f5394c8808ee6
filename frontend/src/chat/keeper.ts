/** Keeps a conversation on the server as it goes on, also when the tab is closed in the midst of it. */

import { ApiError, csrfToken, getJson, patchJson, postJson } from "../api";
import { isWrittenAlike } from "../path";
import type { Json } from "../path";
import type { Thread } from "./thread";
import { stored } from "./thread";

export interface Kept {
  id: string;
  title: string;
  revision: number;
}

const HOME = "/api/v1/conversations";
const SAVE_AFTER_MS = 600;
/** What a tab was left with: a reload may be faster than the request that saves it. */
const LEFT = "whetstone.chat.left";

/** The thread as this tab left it, when the page was drawn from an older one. */
export function leftBehind(kept: Kept | null): Thread | null {
  const text = sessionStorage.getItem(LEFT);
  sessionStorage.removeItem(LEFT);
  if (text === null || kept === null) return null;
  const left = JSON.parse(text) as { id: string; revision: number; thread: Thread };
  return left.id === kept.id && left.revision === kept.revision ? left.thread : null;
}

export class Keeper extends EventTarget {
  #isDirty = false;
  #saving: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** `kept` is null until the first message. Says “kept” with each change, and “refused” with the reason. */
  constructor(
    readonly thread: Thread,
    public kept: Kept | null,
  ) {
    super();
    window.addEventListener("pagehide", () => this.#leave());
  }

  changed(): void {
    if (this.thread.turns.length === 0 && this.kept === null) return;
    this.#isDirty = true;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.save();
    }, SAVE_AFTER_MS);
  }

  /** The conversation's id, once the server knows it. */
  async id(): Promise<string> {
    if (this.kept === null) {
      this.#isDirty = true;
      await this.save();
    }
    if (this.kept === null) throw new Error("the conversation could not be kept");
    return this.kept.id;
  }

  async save(): Promise<void> {
    while (this.#saving !== null) await this.#saving;
    if (!this.#isDirty) return;
    this.#isDirty = false;
    this.#saving = this.#write().finally(() => void (this.#saving = null));
    await this.#saving;
  }

  /** Under another id, whatever became of the first one. */
  async keepAsNew(): Promise<void> {
    this.kept = null;
    this.#isDirty = true;
    await this.save();
  }

  async #write(): Promise<void> {
    const thread = stored(this.thread);
    try {
      this.kept = this.kept === null ? await postJson<Kept>(HOME, { thread }) : await patchJson<Kept>(`${HOME}/${this.kept.id}`, { thread, revision: this.kept.revision });
      this.dispatchEvent(new CustomEvent("kept"));
    } catch (reason) {
      if (await this.#isKeptAlready(reason, thread)) return;
      this.#isDirty = !(reason instanceof ApiError);
      this.dispatchEvent(new CustomEvent("refused", { detail: reason }));
    }
  }

  /** Whether it was changed meanwhile by this very tab, as it was left before. */
  async #isKeptAlready(reason: unknown, thread: Thread): Promise<boolean> {
    if (!(reason instanceof ApiError) || reason.problem.code !== "conversation.changed_meanwhile" || this.kept === null) return false;
    const there = await getJson<Kept & { thread: Thread }>(`${HOME}/${this.kept.id}`).catch(() => null);
    if (there === null || !isWrittenAlike(stored(there.thread) as unknown as Json, thread as unknown as Json)) return false;
    this.kept = there;
    return true;
  }

  /** A request that outlives the page. Browsers let it carry 64 KB. */
  #leave(): void {
    if ((!this.#isDirty && this.#saving === null) || this.kept === null) return;
    const thread = stored(this.thread);
    const body = JSON.stringify({ thread, revision: this.kept.revision });
    sessionStorage.setItem(LEFT, JSON.stringify({ id: this.kept.id, revision: this.kept.revision, thread }));
    const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
    void fetch(`${HOME}/${this.kept.id}`, { method: "PATCH", headers, body, keepalive: true }).catch(() => undefined);
  }
}
