/** htmx, only where a page uses it. Its configuration stands in the page's `<meta name="htmx-config">`. */

import { csrfToken } from "./api";

export function startHtmx(): void {
  if (document.querySelector("[hx-get],[hx-post],[hx-delete]") === null) return;
  void import("htmx.org").then(({ default: htmx }) => {
    document.body.addEventListener("htmx:configRequest", (event) => {
      (event as CustomEvent<{ headers: Record<string, string> }>).detail.headers["X-CSRFToken"] = csrfToken();
    });
    htmx.process(document.body);
  });
}
