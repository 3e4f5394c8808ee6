/** The kinds of graders to choose from: a search, and a card with a promise for each. */

import { fill, freshId, h } from "../dom";
import type { Kinds } from "../grader-edits";
import type { Group } from "../grader-groups";
import { groupsOf } from "../grader-groups";

interface Card {
  button: HTMLButtonElement;
  /** What a search looks in, in small letters. */
  words: string;
}

export function graderGallery(kinds: Kinds, choose: (kind: string) => void): HTMLElement {
  const groups = groupsOf(kinds);
  const cards = new Map(groups.flatMap((group) => group.kinds.map((kind) => [kind, makeCard(kind, group, kinds, choose)] as const)));
  const sections = groups.map((group) => makeSection(group, cards));
  const search = h("input", { type: "search", class: "input", placeholder: gettext("Search"), "aria-label": gettext("Search kinds of graders"), autocomplete: "off", spellcheck: "false" });
  const nothing = h("p", { class: "help", role: "status" });

  const filter = (): void => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const card of cards.values()) card.button.hidden = !words.every((word) => card.words.includes(word));
    for (const section of sections) section.hidden = shownIn(section).length === 0;
    const isEmpty = sections.every(({ hidden }) => hidden);
    fill(nothing, isEmpty ? interpolate(gettext("No kind of grader has “%(words)s” in its name or its promise."), { words: search.value.trim() }, true) : "");
    rove(element, shownIn(element)[0]);
  };
  const element = h("div", { class: "grader-gallery" }, search, ...sections, nothing);
  search.addEventListener("input", filter);
  search.addEventListener("keydown", (event) => searchKey(event, search, element, filter));
  element.addEventListener("keydown", (event) => {
    if (event.target instanceof HTMLButtonElement) cardKey(event, event.target, element, search);
  });
  element.addEventListener("focusin", ({ target }) => target instanceof HTMLButtonElement && rove(element, target));
  filter();
  return element;
}

function makeCard(kind: string, group: Group, { variants }: Kinds, choose: (kind: string) => void): Card {
  const { title = kind, description = "" } = variants[kind] ?? {};
  const button = h(
    "button",
    { type: "button", class: "kind-card", "data-kind": kind, onclick: () => choose(kind) },
    h("span", { class: "kind-title" }, h("strong", {}, title), h("code", {}, kind)),
    h("span", { class: "help" }, description),
  );
  return { button, words: [title, description, kind, group.title].join(" ").toLowerCase() };
}

function makeSection(group: Group, cards: Map<string, Card>): HTMLElement {
  const id = freshId("kinds");
  const buttons = group.kinds.map((kind) => cards.get(kind)?.button);
  return h("section", { "aria-labelledby": id }, h("h3", { id }, group.title), h("div", { class: "kind-cards" }, ...buttons));
}

function shownIn(element: HTMLElement): HTMLButtonElement[] {
  return [...element.querySelectorAll<HTMLButtonElement>(".kind-card:not([hidden])")];
}

/** Of all cards one is reached with Tab: the last that had the focus. */
function rove(element: HTMLElement, chosen: HTMLButtonElement | undefined): void {
  for (const card of element.querySelectorAll<HTMLButtonElement>(".kind-card")) card.tabIndex = card === chosen ? 0 : -1;
}

function searchKey(event: KeyboardEvent, search: HTMLInputElement, element: HTMLElement, filter: () => void): void {
  const [first] = shownIn(element);
  if (event.key === "ArrowDown") first?.focus();
  else if (event.key === "Enter" && search.value.trim() !== "") first?.click();
  else if (event.key === "Escape" && search.value !== "") {
    search.value = "";
    filter();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

function cardKey(event: KeyboardEvent, card: HTMLButtonElement, element: HTMLElement, search: HTMLInputElement): void {
  const cards = shownIn(element);
  const at = cards.indexOf(card);
  const next = event.key === "/" ? search : cardAt(event.key, cards, at);
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}

function cardAt(key: string, cards: HTMLButtonElement[], at: number): HTMLButtonElement | undefined {
  if (key === "ArrowRight") return cards[at + 1];
  if (key === "ArrowLeft") return cards[at - 1];
  if (key === "Home") return cards[0];
  if (key === "End") return cards.at(-1);
  if (key === "ArrowDown") return nearest(cards[at], cards.slice(at + 1));
  if (key === "ArrowUp") return nearest(cards[at], cards.slice(0, at).reverse());
  return undefined;
}

/** The card of the next row that stands closest under or over this one; the cards come in order, nearest first. */
function nearest(from: HTMLButtonElement | undefined, others: HTMLButtonElement[]): HTMLButtonElement | undefined {
  if (from === undefined) return undefined;
  const [own, boxes] = [from.getBoundingClientRect(), others.map((card) => ({ card, box: card.getBoundingClientRect() }))];
  const row = boxes.find(({ box }) => box.top !== own.top)?.box.top;
  const inRow = boxes.filter(({ box }) => box.top === row);
  inRow.sort((a, b) => Math.abs(a.box.left - own.left) - Math.abs(b.box.left - own.left));
  return inRow[0]?.card;
}
