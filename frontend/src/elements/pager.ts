/** Previous, Next, and where one is. */

import { h } from "../dom";
import { number } from "../format";

/** `go` is told the offset of the page that is wanted. */
export function pager(offset: number, perPage: number, total: number, go: (offset: number) => void): HTMLElement {
  const last = Math.min(total, offset + perPage);
  const where = interpolate(gettext("%(from)s to %(to)s of %(total)s"), { from: number(offset + 1), to: number(last), total: number(total) }, true);
  return h(
    "div",
    { class: "pager" },
    h("button", { type: "button", class: "button small", disabled: offset === 0, onclick: () => go(Math.max(0, offset - perPage)) }, gettext("Previous")),
    h("button", { type: "button", class: "button small", disabled: last >= total, onclick: () => go(offset + perPage) }, gettext("Next")),
    h("span", { class: "muted numeric" }, where),
  );
}
