import { expect, test } from "vitest";

import type { Role } from "../src/mapping";
import { keptText, likelyRole, mappingState } from "../src/mapping";

const columns = (...roles: Role[]): { name: string; role: Role }[] => roles.map((role, n) => ({ name: `c${n}`, role }));

test.each([
  [["item", "item"], false],
  [["prompt", "reference"], true],
  [["prompt", "completion"], true],
  [["messages"], true],
  [["messages", "prompt"], false],
  [["prompt", "prompt"], false],
  [["prompt", "chosen", "rejected"], true],
  [["messages", "chosen", "rejected"], true],
  [["chosen", "rejected"], true],
  [["prompt", "chosen"], false],
  [["prompt", "rejected"], false],
  [["prompt", "chosen", "rejected", "label"], false],
  [["prompt", "completion", "label"], true],
  [["messages", "label"], true],
  [["prompt", "label"], false],
  [["prompt", "chosen", "chosen", "rejected"], false],
] as [Role[], boolean][])("columns %o are mapped: %s", (roles, isReady) => {
  expect(mappingState(columns(...roles)).ready).toBe(isReady);
});

test("names that say what they are get their role", () => {
  expect(likelyRole("question")).toBe("prompt");
  expect(likelyRole("answer")).toBe("reference");
  expect(likelyRole("preferred_output")).toBe("chosen");
  expect(likelyRole("rejected")).toBe("rejected");
  expect(likelyRole("difficulty")).toBe("item");
});

test("the text after the last mark is kept", () => {
  expect(keptText("9 * 2 = 18\n#### 18", "####")).toBe("18");
  expect(keptText("no mark", "####")).toBeNull();
  expect(keptText("all of it", "")).toBe("all of it");
});
