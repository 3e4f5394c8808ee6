/** Numbers, times and sizes as people read them. */

const language = (): string => document.documentElement.lang || "en";

/** A metric: about four significant digits, without noise. */
export function metric(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 0.0005) return value.toExponential(1).replace("e-", "e−").replace(/^-/, "−");
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
  return number(value, digits);
}

export function number(value: number, digits = 0): string {
  const text = new Intl.NumberFormat(language(), { maximumFractionDigits: digits }).format(value);
  return text === "-0" ? "0" : text.replace(/^-/, "−");
}

export function percent(share: number | null | undefined, digits = 1): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return "–";
  return `${number(share * 100, digits)}%`;
}

/** A change with its sign: +0.12. */
export function change(value: number): string {
  return value > 0 ? `+${metric(value)}` : metric(value);
}

export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds) || seconds < 0) return "–";
  if (seconds < 10) return interpolate(gettext("%(n)s s"), { n: number(seconds, 1) }, true);
  const whole = Math.round(seconds);
  if (whole < 60) return interpolate(gettext("%(n)s s"), { n: whole }, true);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  if (hours === 0) return interpolate(gettext("%(m)s min %(s)s s"), { m: minutes, s: whole % 60 }, true);
  return interpolate(gettext("%(h)s h %(m)s min"), { h: hours, m: minutes }, true);
}

/** A length of time that is not known to the second: 40 s, 5 min, 2.5 h, 3 days. */
export function roughly(seconds: number): string {
  if (seconds < 90) return interpolate(gettext("%(n)s s"), { n: number(Math.max(1, seconds)) }, true);
  if (seconds < 5400) return interpolate(gettext("%(n)s min"), { n: number(seconds / 60) }, true);
  if (seconds < 172_800) return interpolate(gettext("%(n)s h"), { n: number(seconds / 3600, seconds < 36_000 ? 1 : 0) }, true);
  return interpolate(gettext("%(n)s days"), { n: number(seconds / 86_400, 1) }, true);
}

/** An amount of money to two significant digits below 10: 0.0032, 1.20, 140. */
export function money(amount: number, currency: string): string {
  const digits = amount >= 100 ? 0 : amount >= 1 || amount === 0 ? 2 : 1 - Math.floor(Math.log10(amount));
  return `${new Intl.NumberFormat(language(), { minimumFractionDigits: Math.min(2, digits), maximumFractionDigits: digits }).format(amount)} ${currency}`;
}

export function bytes(size: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const power = size < 1 ? 0 : Math.min(Math.floor(Math.log10(size) / 3), units.length - 1);
  return `${number(size / 1000 ** power, power > 1 ? 1 : 0)} ${units[power]}`;
}

export function clock(at: string | number): string {
  const moment = new Date(typeof at === "number" ? at * 1000 : at);
  return Number.isNaN(moment.getTime()) ? "" : moment.toLocaleTimeString(language(), { hour12: false });
}

/** Exponential moving average, corrected for its start (Adam's bias correction), so that the first value is itself. */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  let sum = 0;
  let seen = 0;
  return values.map((value) => {
    if (value === null) return null;
    sum = sum * weight + value * (1 - weight);
    seen += 1;
    return weight === 0 ? value : sum / (1 - weight ** seen);
  });
}
