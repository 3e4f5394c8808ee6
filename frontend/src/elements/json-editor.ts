/** <json-editor>: JSON with marks at the line, and (unless `bare`) a button to copy it. */

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import type { Diagnostic } from "@codemirror/lint";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import type { Extension } from "@codemirror/state";
import { Compartment, EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";

import { create, h } from "../dom";
import { parseTree, placeOf } from "../json-place";
import type { Json } from "../path";
import { isWrittenAlike, pretty, splitPath } from "../path";
import { copyButton } from "./copy-button";

const COLOURS = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--code-name)" },
  { tag: tags.string, color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: [tags.separator, tags.squareBracket, tags.brace], color: "var(--text-3)" },
]);

export class JsonEditor extends HTMLElement {
  #view: EditorView | null = null;
  #editable = new Compartment();
  #problems: ReadonlyMap<string, string> = new Map();
  #isOurs = false;

  connectedCallback(): void {
    if (this.#view !== null) return;
    const label = this.getAttribute("label") ?? "JSON";
    const bar = h("div", { class: "editor-bar" }, h("span", { class: "editor-title" }, label), copyButton(() => this.text));
    if (!this.hasAttribute("bare")) this.append(bar);
    this.#view = new EditorView({ parent: this, state: EditorState.create({ doc: "", extensions: this.#extensions(label) }) });
  }

  #extensions(label: string): Extension[] {
    const nonce = document.querySelector<HTMLMetaElement>("meta[name=csp-nonce]")?.content;
    return [
      lineNumbers(),
      lintGutter(),
      history(),
      drawSelection(),
      indentOnInput(),
      indentUnit.of("  "),
      bracketMatching(),
      highlightActiveLine(),
      json(),
      syntaxHighlighting(COLOURS),
      keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap]),
      EditorView.lineWrapping,
      placeholder(this.getAttribute("hint") ?? ""),
      EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false" }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged && !this.#isOurs) this.#typed();
      }),
      this.#editable.of([]),
      nonce === undefined ? [] : EditorView.cspNonce.of(nonce),
    ];
  }

  get text(): string {
    return this.#view?.state.doc.toString() ?? "";
  }

  /** Shows a document; the text stays as typed while it already means the same. */
  set value(value: Json) {
    const parsed = this.#parsed();
    if (parsed.ok && isWrittenAlike(parsed.value, value)) return;
    this.#replace(value === null ? "" : pretty(value));
  }

  set readOnly(isReadOnly: boolean) {
    const extension = isReadOnly ? [EditorState.readOnly.of(true), EditorView.editable.of(false)] : [];
    this.#view?.dispatch({ effects: this.#editable.reconfigure(extension) });
  }

  /** Messages by dotted path, drawn at the line where the path stands. */
  set problems(problems: ReadonlyMap<string, string>) {
    this.#problems = problems;
    this.#mark();
  }

  #replace(text: string): void {
    const view = this.#view;
    if (view === null) return;
    this.#isOurs = true;
    view.dispatch({ changes: difference(view.state.doc.toString(), text) });
    this.#isOurs = false;
    this.#mark();
  }

  #parsed(): { ok: true; value: Json } | { ok: false } {
    try {
      return { ok: true, value: JSON.parse(this.text) as Json };
    } catch {
      return { ok: false };
    }
  }

  #typed(): void {
    const parsed = this.#parsed();
    this.#problems = new Map();
    this.#mark();
    if (parsed.ok || this.text.trim() === "") this.dispatchEvent(new CustomEvent("change", { detail: parsed.ok ? parsed.value : null }));
    else this.dispatchEvent(new CustomEvent("broken"));
  }

  #mark(): void {
    const view = this.#view;
    if (view === null) return;
    const syntax = this.text.trim() === "" ? [] : jsonParseLinter()(view);
    const marks = syntax.length > 0 ? syntax : this.#diagnostics();
    view.dispatch(setDiagnostics(view.state, marks.filter((mark) => mark.to <= view.state.doc.length)));
  }

  #diagnostics(): Diagnostic[] {
    const tree = parseTree(this.text);
    return [...this.#problems].map(([path, message]) => ({
      ...placeOf(this.text, tree, splitPath(path)),
      severity: "error",
      message,
    }));
  }
}

/** The one stretch that differs, so that a letter in a long document stays a small change. */
export function difference(before: string, after: string): { from: number; to: number; insert: string } {
  const shorter = Math.min(before.length, after.length);
  let from = 0;
  while (from < shorter && before[from] === after[from]) from += 1;
  let end = 0;
  while (end < shorter - from && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  return { from, to: before.length - end, insert: after.slice(from, after.length - end) };
}

customElements.define("json-editor", JsonEditor);

export function jsonEditor(label: string, hint = ""): JsonEditor {
  const editor = create<JsonEditor>("json-editor");
  editor.setAttribute("hint", hint);
  editor.setAttribute("label", label);
  return editor;
}
