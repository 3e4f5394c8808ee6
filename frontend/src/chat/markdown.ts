/** What a model wrote, as Markdown. It is parsed without HTML, sanitised, and has neither pictures nor styles: a picture's
 * address would tell its server that somebody reads, and the page's policy allows no foreign ones. */

import DOMPurify from "dompurify";
import MarkdownIt from "markdown-it";

import { h } from "../dom";
import { copyButton } from "../elements/copy-button";

const TAGS = ["p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"];
const markdown = new MarkdownIt({ html: false, linkify: false, breaks: true }).disable("image");

// The alignment of a column would be an inline style.
for (const rule of ["th_open", "td_open"]) markdown.renderer.rules[rule] = (tokens, index) => `<${tokens[index]?.tag ?? "td"}>`;

export function rendered(text: string): DocumentFragment {
  const found = DOMPurify.sanitize(markdown.render(text), { ALLOWED_TAGS: TAGS, ALLOWED_ATTR: ["href", "start", "class"], RETURN_DOM_FRAGMENT: true });
  for (const link of found.querySelectorAll("a")) {
    link.rel = "noopener noreferrer nofollow";
    link.target = "_blank";
    link.title = link.href;
  }
  for (const table of found.querySelectorAll("table")) {
    const frame = h("div", { class: "markdown-table", tabindex: 0 });
    table.replaceWith(frame);
    frame.append(table);
  }
  for (const code of found.querySelectorAll("pre")) frameCode(code);
  return found;
}

function frameCode(code: HTMLElement): void {
  const text = (code.textContent ?? "").replace(/\n$/, "");
  const language = /language-([\w+#-]+)/.exec(code.firstElementChild?.className ?? "")?.[1] ?? "";
  code.className = "code";
  code.tabIndex = 0;
  const frame = h("div", { class: "markdown-code" }, h("div", { class: "markdown-code-head" }, h("span", {}, language), copyButton(() => text)));
  code.replaceWith(frame);
  frame.append(code);
}
