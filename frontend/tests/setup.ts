/** What Django's JavaScriptCatalog puts on the page, in English. */

type Values = Record<string, unknown>;

Object.assign(globalThis, {
  gettext: (text: string): string => text,
  ngettext: (one: string, many: string, count: number): string => (count === 1 ? one : many),
  interpolate: (format: string, values: Values): string =>
    format.replace(/%\((\w+)\)s/g, (_, name: string) => String(values[name])),
});
