/** Suggestions under a field while somebody types. What is suggested comes from a source; keys and roles from GitHub's
 *  combobox-nav, which needs no sign that starts it, sets no styles, and is 2 kB. */

import Combobox from "@github/combobox-nav";

import { freshId, h } from "./dom";

export interface Candidate {
  label: string;
  /** A few words beside it. */
  detail: string;
  /** What stands in the text afterwards. */
  insert: string;
}

export interface Completion {
  /** The part of the text that gives way. */
  from: number;
  to: number;
  candidates: Candidate[];
}

/** What fits at the caret, or null. `isAsked`: somebody pressed Ctrl and space, rather than typed. */
export type Completions = (text: string, caret: number, isAsked: boolean) => Completion | null;

type TextField = HTMLInputElement | HTMLTextAreaElement;

const MOST = 50;
const CARET_KEYS = ["ArrowLeft", "ArrowRight", "Home", "End"];

export function complete(input: TextField, source: Completions): void {
  let close = (): void => undefined;
  let isOpen = false;

  const shut = (): void => {
    close();
    isOpen = false;
  };
  const update = (isAsked: boolean): void => {
    shut();
    if (input.readOnly || document.activeElement !== input) return;
    const found = source(input.value, input.selectionStart ?? input.value.length, isAsked);
    if (found === null || found.candidates.length === 0) return;
    isOpen = true;
    close = open(input, found.candidates.slice(0, MOST), ({ insert }) => {
      shut();
      replace(input, found.from, found.to, insert);
    });
  };

  input.addEventListener("input", (event) => {
    if (!(event as InputEvent).isComposing) update(false);
  });
  input.addEventListener("keydown", (event) => {
    const { key, ctrlKey } = event as KeyboardEvent;
    if (key === " " && ctrlKey) {
      event.preventDefault();
      update(true);
    } else if (key === "Escape" && isOpen) {
      event.preventDefault();
      event.stopPropagation();
      shut();
    }
  });
  // The caret went elsewhere: other things fit there, or none.
  input.addEventListener("keyup", (event) => {
    if (isOpen && CARET_KEYS.includes((event as KeyboardEvent).key)) update(false);
  });
  input.addEventListener("click", () => isOpen && update(false));
  input.addEventListener("blur", shut);
}

/** Shows the list; what comes back takes it away. */
function open(input: TextField, candidates: Candidate[], take: (candidate: Candidate) => void): () => void {
  const id = freshId("completion");
  const options = candidates.map(({ label, detail }, index) =>
    h("li", { role: "option", id: `${id}-${index}` }, h("span", { class: "code" }, label), h("span", { class: "help" }, detail)),
  );
  const list = h("ul", { class: "completion", role: "listbox", id, "aria-label": gettext("Suggestions") }, ...options);
  // Inside a dialog, what stands outside of it cannot be seen or clicked.
  (input.closest("dialog, main") ?? document.body).append(list);
  const put = (): void => place(list, input);
  put();
  const combobox = new Combobox(input, list, { firstOptionSelectionMode: "selected" });
  combobox.start();
  list.addEventListener("combobox-commit", (event) => {
    const taken = candidates[options.indexOf(event.target as HTMLLIElement)];
    if (taken !== undefined) take(taken);
  });
  // A press on the list must not take the focus out of the field.
  list.addEventListener("mousedown", (event) => event.preventDefault());
  window.addEventListener("scroll", put, { capture: true, passive: true });
  window.addEventListener("resize", put);
  return () => {
    window.removeEventListener("scroll", put, { capture: true });
    window.removeEventListener("resize", put);
    combobox.destroy();
    list.remove();
  };
}

/** Under the field, or above where there is more room. */
function place(list: HTMLElement, input: TextField): void {
  const field = input.getBoundingClientRect();
  const [width, height] = [document.documentElement.clientWidth, window.visualViewport?.height ?? window.innerHeight];
  const [above, below] = [field.top - 8, height - field.bottom - 8];
  const isBelow = below >= Math.min(list.scrollHeight, 160) || below >= above;
  list.style.maxHeight = `${Math.max(Math.min(isBelow ? below : above, 280), 88)}px`;
  list.style.width = `${Math.min(Math.max(field.width, 280), width - 16)}px`;
  list.style.left = `${Math.max(Math.min(field.left, width - list.offsetWidth - 8), 8)}px`;
  list.style.top = `${isBelow ? field.bottom + 4 : Math.max(field.top - list.offsetHeight - 4, 8)}px`;
}

/** As if it had been typed, so that it can be undone. */
function replace(input: TextField, from: number, to: number, text: string): void {
  input.focus();
  input.setSelectionRange(from, to);
  // Deprecated, and still the only way that keeps the browser's own history.
  if (document.execCommand?.("insertText", false, text)) return;
  input.setRangeText(text, from, to, "end");
  input.dispatchEvent(new Event("input", { bubbles: true }));
}
