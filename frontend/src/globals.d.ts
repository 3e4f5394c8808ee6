/** What Django's JavaScriptCatalog puts on the page. */
declare function gettext(text: string): string;
declare function ngettext(singular: string, plural: string, count: number): string;
declare function interpolate(format: string, values: Record<string, unknown>, named: true): string;
