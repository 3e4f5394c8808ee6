import { afterEach, expect, test, vi } from "vitest";

import { refreshParts } from "../src/refresh";

afterEach(() => vi.unstubAllGlobals());

function serverSays(html: string, ok = true): void {
  vi.stubGlobal("fetch", () => Promise.resolve({ ok, text: () => Promise.resolve(html) }));
}

test("only the parts that ask for it are drawn anew", async () => {
  document.body.innerHTML = '<div id="head" data-refresh>old</div><p id="read">being read</p>';
  serverSays('<div id="head" data-refresh><b>new</b></div><p id="read">other</p>');
  await refreshParts();
  expect(document.getElementById("head")?.innerHTML).toBe("<b>new</b>");
  expect(document.getElementById("read")?.textContent).toBe("being read");
});

test("a server that does not answer well changes nothing", async () => {
  document.body.innerHTML = '<div id="head" data-refresh>old</div>';
  serverSays("<h1>error</h1>", false);
  await refreshParts();
  expect(document.getElementById("head")?.textContent).toBe("old");
});
