/** A formula as weights, where it is no more than that: `0.8 * correct + 0.2 * format`, or a mean of them. */

export interface Weighted {
  /** One for every part, in the parts' order; null for a part that the formula leaves out. */
  weights: Record<string, number | null>;
  /** Whether the sum is divided by the sum of the weights, so that scores from 0 to 1 stay there. */
  isMean: boolean;
}

const NUMBER = String.raw`\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?`;
const NAME = "[A-Za-z_][A-Za-z0-9_]*";
const TERM = new RegExp(String.raw`^\s*([+-]?)\s*(?:(${NUMBER})\s*\*\s*(${NAME})|(${NAME})\s*\*\s*(${NUMBER})|(${NAME}))(?=\s*(?:[+-]|$))`, "i");
const MEAN = new RegExp(String.raw`^\s*\(([^()]*)\)\s*/\s*(${NUMBER})\s*$`, "i");

/** The weights that a formula of these parts says, or null where it says more (or less) than weights. */
export function weightsIn(formula: string, names: readonly string[]): Weighted | null {
  const single = terms(formula, names);
  if (single !== null) return { weights: single, isMean: false };
  const mean = MEAN.exec(formula);
  const weights = mean === null ? null : terms(mean[1] as string, names);
  if (weights === null || !isNear(Number(mean?.[2]), total(weights))) return null;
  return { weights, isMean: true };
}

export function formulaOf({ weights, isMean }: Weighted): string {
  const counted = Object.entries(weights).filter((entry): entry is [string, number] => entry[1] !== null);
  const sum = counted.map(([name, weight], n) => term(name, weight, n === 0)).join("");
  const whole = rounded(total(weights));
  return isMean && counted.length > 1 && whole > 0 ? `(${sum}) / ${whole}` : sum;
}

/** A part's share of the whole, from 0 to 1; null where that says nothing. */
export function shareOf(name: string, { weights }: Weighted): number | null {
  const whole = Object.values(weights).reduce<number>((sum, weight) => sum + Math.abs(weight ?? 0), 0);
  const weight = weights[name];
  return weight === null || weight === undefined || whole === 0 ? null : Math.abs(weight) / whole;
}

function terms(formula: string, names: readonly string[]): Weighted["weights"] | null {
  const found = new Map<string, number>();
  let rest = formula;
  while (rest.trim() !== "") {
    const match = TERM.exec(rest);
    if (match === null || (found.size > 0 && match[1] === "")) return null;
    const name = match[3] ?? match[4] ?? match[6] ?? "";
    if (!names.includes(name) || found.has(name)) return null;
    found.set(name, Number(match[2] ?? match[5] ?? 1) * (match[1] === "-" ? -1 : 1));
    rest = rest.slice(match[0].length);
  }
  return found.size === 0 ? null : Object.fromEntries(names.map((name) => [name, found.get(name) ?? null]));
}

function term(name: string, weight: number, isFirst: boolean): string {
  const sign = weight < 0 ? (isFirst ? "-" : " - ") : isFirst ? "" : " + ";
  const size = Math.abs(weight);
  return size === 1 ? `${sign}${name}` : `${sign}${rounded(size)} * ${name}`;
}

function total(weights: Weighted["weights"]): number {
  return Object.values(weights).reduce<number>((sum, weight) => sum + (weight ?? 0), 0);
}

/** 0.1 + 0.2 is 0.3 to whoever reads the formula. */
function rounded(value: number): number {
  return Number(value.toPrecision(12));
}

function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a));
}
