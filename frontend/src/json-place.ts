/** Where in a JSON text a path stands, for marks at the line. */

import { json } from "@codemirror/lang-json";
import type { SyntaxNode, Tree } from "@lezer/common";

export interface Place {
  from: number;
  to: number;
}

export function parseTree(text: string): Tree {
  return json().language.parser.parse(text);
}

/** The value at the path, or the nearest parent that exists. */
export function placeOf(text: string, tree: Tree, path: readonly string[]): Place {
  let node = tree.topNode.firstChild;
  for (const key of path) {
    const inner = node === null ? null : childOf(text, node, key);
    if (inner === null) break;
    node = inner;
  }
  return lineOf(text, node?.from ?? 0, node?.to ?? text.length);
}

/** Long values are marked on their first line only. */
function lineOf(text: string, from: number, to: number): Place {
  const end = text.indexOf("\n", from);
  return { from, to: Math.max(from, end === -1 ? to : Math.min(to, end)) };
}

function childOf(text: string, node: SyntaxNode, key: string): SyntaxNode | null {
  if (node.name === "Array") return childrenOf(node).filter(isValue)[Number(key)] ?? null;
  if (node.name !== "Object") return null;
  const property = childrenOf(node).find((child) => child.name === "Property" && nameOf(text, child) === key);
  return property?.lastChild ?? null;
}

function nameOf(text: string, property: SyntaxNode): string | null {
  const name = property.firstChild;
  if (name === null) return null;
  try {
    return JSON.parse(text.slice(name.from, name.to)) as string;
  } catch {
    return null;
  }
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(child);
  return found;
}

function isValue(node: SyntaxNode): boolean {
  return !["[", "]", "{", "}", ",", "⚠"].includes(node.name);
}
