import { expect, test } from "vitest";

import { difference } from "../src/elements/json-editor";

test.each([
  ["", "abc"],
  ["abc", ""],
  ["abc", "abc"],
  ["aaa", "aaaa"],
  ["aaaa", "aaa"],
  ['{"a": 1}', '{"a": 12}'],
  ["one two", "three"],
])("what differs between %j and %j, put in, makes the second", (before, after) => {
  const { from, to, insert } = difference(before, after);
  expect(before.slice(0, from) + insert + before.slice(to)).toBe(after);
});

test("a letter in a long text is one letter", () => {
  const text = "x".repeat(1000) + "y" + "z".repeat(1000);
  expect(difference(text, text.replace("y", "yy")).insert).toHaveLength(1);
});
