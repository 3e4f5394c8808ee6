/** What a person says of answers, on its way to the server. */

import { getJson, postJson, remove } from "../api";
import type { Message } from "./thread";

export type Kind = "preference" | "rating" | "edit";
export type Verdict = "first" | "second" | "tie" | "both_bad" | "good" | "bad" | "edited";

export interface Candidate {
  text: string;
  model: string;
}

export interface Saying {
  kind: Kind;
  verdict: Verdict;
  prompt: Message[];
  answers: Candidate[];
  edited?: string;
  source: string;
  manner?: Record<string, number>;
}

export interface Label extends Required<Omit<Saying, "manner">> {
  id: string;
  dataset: string;
  author: string;
  is_mine: boolean;
  is_new: boolean;
}

export interface Agreement {
  people: number;
  shared: number;
  same: number;
  alpha: number | null;
  kappa: number | null;
}

export interface Standing {
  dataset: string;
  kind: Kind;
  labels: number;
  new: number;
  people: number;
  verdicts: Partial<Record<Verdict, number>>;
  agreement: Agreement | null;
}

export interface Published {
  id: string;
  ref: string;
  rows: number;
}

const HOME = "/api/v1/labels";
const KEPT = "whetstone.labels.";
const DEFAULTS: Record<Kind, string> = { preference: "chat-preferences", rating: "chat-ratings", edit: "chat-corrections" };

/** The dataset that labels of a kind go into: each person's own choice. */
export function destination(kind: Kind): string {
  return localStorage.getItem(KEPT + kind)?.trim() || DEFAULTS[kind];
}

export function chooseDestination(kind: Kind, dataset: string): void {
  localStorage.setItem(KEPT + kind, dataset.trim());
}

export function say(saying: Saying, dataset = destination(saying.kind)): Promise<Label> {
  return postJson<Label>(HOME, { ...saying, dataset });
}

export function takeBack(label: string): Promise<void> {
  return remove(`${HOME}/${label}`);
}

export function publish(dataset: string): Promise<Published> {
  return postJson<Published>(`${HOME}/publish`, { dataset });
}

export async function standings(): Promise<Standing[]> {
  return (await getJson<{ data: Standing[] }>(`${HOME}/standing`)).data;
}

/** A person's own labels, newest first. */
export async function mine(about: { dataset?: string; source?: string }, limit: number): Promise<Label[]> {
  const query = new URLSearchParams({ ...about, mine: "true", limit: String(limit) });
  return (await getJson<{ data: Label[] }>(`${HOME}?${query}`)).data;
}
