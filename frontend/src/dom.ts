/** Building light DOM without HTML strings: what a user or a model wrote is only ever text. */

export type Child = Node | string | number | null | undefined | false;
type Value = string | number | boolean | null | undefined | ((event: never) => void);

/** `h("button", { class: "button", onclick: save }, "Save")`. Listeners are functions, the rest are attributes. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Value> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setOne(element, name, value);
  element.append(...present(children));
  return element;
}

function setOne(element: HTMLElement, name: string, value: Value): void {
  if (value === null || value === undefined || value === false) return;
  if (typeof value === "function") {
    element.addEventListener(name.slice(2), value as EventListener);
    return;
  }
  element.setAttribute(name, value === true ? "" : String(value));
}

export function present(children: Child[]): (Node | string)[] {
  return children
    .filter((child): child is Node | string | number => child !== null && child !== undefined && child !== false)
    .map((child) => (typeof child === "number" ? String(child) : child));
}

/** The element with these children in place of what it held. */
export function fill<T extends Element>(element: T, ...children: Child[]): T {
  element.replaceChildren(...present(children));
  return element;
}

/** A custom element of this project, created and typed. */
export function create<T extends HTMLElement>(tag: string, className = ""): T {
  const element = document.createElement(tag) as T;
  if (className) element.className = className;
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** A 16 px line icon from its path. */
export function icon(path: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

let count = 0;

/** An id that no other element of the page has, to tie labels, fields and messages together. */
export function freshId(prefix: string): string {
  count += 1;
  return `${prefix}-${count}`;
}

/** JSON that the template left in a `<script type="application/json">`. */
export function pageData<T>(id: string): T {
  const script = document.getElementById(id);
  if (script === null) throw new Error(`the page has no data “${id}”`);
  return JSON.parse(script.textContent ?? "null") as T;
}

/** Calls `work` once nothing has happened for `delay_ms`. */
export function debounce(work: () => void, delay_ms: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, delay_ms);
  };
}
