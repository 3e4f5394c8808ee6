/** Keeps a conversation on the server as it goes on, also when the tab is closed in the midst of it. */

import { ApiError, csrfToken, patchJson, postJson } from "../api";
import { debounce } from "../dom";
import type { Thread } from "./thread";
import { stored } from "./thread";

export interface Kept {
  id: string;
  title: string;
  revision: number;
}

const HOME = "/api/v1/conversations";
const SAVE_AFTER_MS = 700;

export class Keeper extends EventTarget {
  #isDirty = false;
  #saving: Promise<void> | null = null;
  #soon = debounce(() => void this.save(), SAVE_AFTER_MS);

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
    this.#soon();
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
      this.#isDirty = !(reason instanceof ApiError);
      this.dispatchEvent(new CustomEvent("refused", { detail: reason }));
    }
  }

  /** A request that outlives the page. Browsers let it carry 64 KB. */
  #leave(): void {
    if (!this.#isDirty || this.kept === null) return;
    const body = JSON.stringify({ thread: stored(this.thread), revision: this.kept.revision });
    const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
    void fetch(`${HOME}/${this.kept.id}`, { method: "PATCH", headers, body, keepalive: true }).catch(() => undefined);
  }
}
