/** Undo and redo over whole documents. Changes in quick succession of the same place are one step. */

const SAME_STEP_MS = 800;

export class History<T> {
  #past: T[] = [];
  #future: T[] = [];
  #present: T;
  #lastPlace = "";
  #lastAt = -Infinity;

  constructor(
    present: T,
    readonly now: () => number = () => performance.now(),
  ) {
    this.#present = present;
  }

  get present(): T {
    return this.#present;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  /** `place` names what was changed: a field that is being typed into is one step, not one a letter. */
  push(value: T, place = ""): void {
    const at = this.now();
    const continues = place !== "" && place === this.#lastPlace && at - this.#lastAt < SAME_STEP_MS && this.canUndo;
    if (!continues) this.#past.push(this.#present);
    this.#present = value;
    this.#future = [];
    this.#lastPlace = place;
    this.#lastAt = at;
  }

  undo(): T {
    return this.#step(this.#past, this.#future);
  }

  redo(): T {
    return this.#step(this.#future, this.#past);
  }

  #step(from: T[], to: T[]): T {
    if (from.length > 0) {
      to.push(this.#present);
      this.#present = from.pop() as T;
    }
    this.#lastPlace = "";
    return this.#present;
  }
}
