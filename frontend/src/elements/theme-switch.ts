/** <theme-switch>: light, dark, or as the system says. Kept in a cookie, so that the server draws the right one. */

import { h } from "../dom";

type Theme = "system" | "light" | "dark";

const NAMES: Record<Theme, () => string> = {
  system: () => gettext("Auto"),
  light: () => gettext("Light"),
  dark: () => gettext("Dark"),
};

export class ThemeSwitch extends HTMLElement {
  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    const now = (document.documentElement.dataset["theme"] ?? "system") as Theme;
    const options = (Object.keys(NAMES) as Theme[]).map((theme) =>
      h("option", { value: theme, selected: theme === now }, NAMES[theme]()),
    );
    const select = h("select", { class: "input small", "aria-label": gettext("Theme") }, ...options);
    select.addEventListener("change", () => choose(select.value as Theme));
    this.append(select);
  }
}

export function choose(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
  document.cookie = `theme=${theme};path=/;max-age=31536000;samesite=lax`;
  document.dispatchEvent(new CustomEvent("themechange"));
}

customElements.define("theme-switch", ThemeSwitch);
