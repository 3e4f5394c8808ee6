/** Work that is not saved yet, kept in this browser: a closed tab loses nothing. */

import { debounce } from "./dom";
import type { Json } from "./path";

const PREFIX = "whetstone.unsaved.";

export interface Kept {
  value: Json;
  /** When it was last changed, in milliseconds since 1970. */
  at: number;
}

export class UnsavedWork {
  #latest: Json = null;
  #isGone = false;
  #write = debounce(() => {
    if (!this.#isGone) store(this.key, { value: this.#latest, at: Date.now() });
  }, 400);

  constructor(readonly key: string) {}

  found(): Kept | null {
    try {
      const text = localStorage.getItem(PREFIX + this.key);
      return text === null ? null : (JSON.parse(text) as Kept);
    } catch {
      return null; // the browser keeps nothing, or something else wrote there
    }
  }

  keep(value: Json): void {
    this.#latest = value;
    this.#isGone = false;
    this.#write();
  }

  forget(): void {
    this.#isGone = true;
    try {
      localStorage.removeItem(PREFIX + this.key);
    } catch {
      // the browser keeps nothing: there is nothing to forget
    }
  }
}

function store(key: string, kept: Kept): void {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(kept));
  } catch {
    // full, or not allowed: the work is on the page all the same
  }
}
