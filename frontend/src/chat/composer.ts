/** Where a person writes: Enter sends, Shift with Enter is a new line. A closed tab loses no draft. */

import { fill, h, icon } from "../dom";
import { SEND, STOP } from "../icons";
import { UnsavedWork } from "../unsaved-work";

export class Composer {
  readonly element = h("form", { class: "composer" });
  readonly area = h("textarea", { class: "composer-area", rows: 1, placeholder: gettext("Write a message"), "aria-label": gettext("Message"), maxlength: 400_000 });
  #button = h("button", { type: "submit", class: "button primary composer-send" });
  #draft: UnsavedWork;
  #isWriting = false;

  constructor(
    draft: string,
    readonly send: (text: string) => void,
    readonly stop: () => void,
  ) {
    this.#draft = new UnsavedWork(draft);
    const found = this.#draft.found()?.value;
    if (typeof found === "string") this.area.value = found;
    this.area.addEventListener("input", () => {
      this.#keep();
      this.#show();
    });
    this.area.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#isWriting) this.stop();
      else this.#submit();
    });
    this.element.append(this.area, this.#button);
    this.#show();
  }

  set isWriting(isWriting: boolean) {
    this.#isWriting = isWriting;
    this.#show();
  }

  #submit(): void {
    const text = this.area.value;
    if (this.#isWriting || text.trim() === "") return;
    this.area.value = "";
    this.#draft.forget();
    this.send(text);
    this.#show();
  }

  #keep(): void {
    if (this.area.value === "") this.#draft.forget();
    else this.#draft.keep(this.area.value);
  }

  #show(): void {
    const label = this.#isWriting ? gettext("Stop") : gettext("Send");
    this.#button.disabled = !this.#isWriting && this.area.value.trim() === "";
    this.#button.title = this.#isWriting ? `${label} (Esc)` : `${label} (Enter)`;
    this.#button.setAttribute("aria-label", label);
    fill(this.#button, icon(this.#isWriting ? STOP : SEND));
  }
}
