import { beforeEach, expect, test } from "vitest";

import { choiceField } from "../src/elements/choice-field";

const CHOICES = [
  { value: "a", label: "sums@1", detail: "20 rows" },
  { value: "b", label: "pairs@1", detail: "10 rows" },
];

function field() {
  const chosen: (string | undefined)[] = [];
  const made = choiceField({ id: "dataset", label: "Dataset", help: "The rows.", choices: CHOICES, empty: null }, (value) => chosen.push(value));
  document.body.replaceChildren(made.element);
  const select = made.element.querySelector("select") as HTMLSelectElement;
  return { made, select, chosen, line: () => made.element.querySelector(".help")?.textContent };
}

beforeEach(() => document.body.replaceChildren());

test("a choice that does not fit stands last and cannot be chosen", () => {
  const { made, select } = field();
  made.refuse(new Map([["a", "It holds no pairs."]]), "Not for DPO");
  expect([...select.options].map(({ value }) => value)).toEqual(["", "b", "a"]);
  expect(select.querySelector<HTMLOptGroupElement>("optgroup")?.label).toBe("Not for DPO");
  expect([...select.options].filter(({ disabled }) => disabled).map(({ value }) => value)).toEqual(["a"]);
});

test("one that was chosen before stays chosen, with the reason under it", () => {
  const { made, select, line } = field();
  made.show("a");
  made.refuse(new Map([["a", "It holds no pairs."]]), "Not for DPO");
  expect(select.value).toBe("a");
  expect(line()).toBe("It holds no pairs.");
  made.refuse(new Map(), "Not for GRPO");
  expect(select.value).toBe("a");
  expect(line()).toBe("20 rows");
  expect(select.querySelector("optgroup")).toBeNull();
});

test("the same field has other words for another method", () => {
  const { made, line } = field();
  made.say({ label: "Evaluator", help: "Scores held-out answers.", empty: "none" });
  expect(made.element.querySelector("label")?.textContent).toBe("Evaluator");
  expect(made.element.querySelector("option")?.textContent).toBe("none");
  expect(line()).toBe("Scores held-out answers.");
});
