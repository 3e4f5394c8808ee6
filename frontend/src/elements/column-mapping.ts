/** <column-mapping>: the first rows of a dataset with a role in each column's header. */

import { postJson, sentenceOf } from "../api";
import { fill, h, pageData } from "../dom";
import { roleLabel } from "../labels";
import type { Column, Role } from "../mapping";
import { keptText, likelyRole, mappingState, ROLES } from "../mapping";
import type { Json, JsonObject } from "../path";
import { same } from "../path";

interface MappingData {
  dataset: string;
  columns: string[];
  mapping: Column[];
  rows: { number: number; row: JsonObject }[];
  datasets_url: string;
}

const CAN_BE_CUT = new Set<Role>(["prompt", "completion", "chosen", "rejected", "label", "reference", "item", "system"]);

export class ColumnMapping extends HTMLElement {
  #data!: MappingData;
  #columns: Column[] = [];
  #saved: Column[] = [];
  #banner = h("div", { class: "notice", role: "status" });
  #save = h("button", { type: "button", class: "button primary" }, gettext("Save mapping"));
  #body = h("tbody", {});

  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    this.#data = pageData<MappingData>(this.getAttribute("data") ?? "mapping-data");
    const isMapped = this.#data.mapping.length > 0;
    this.#columns = this.#data.columns.map((name) => this.#start(name, isMapped));
    this.#saved = isMapped ? this.#columns : [];
    this.#save.addEventListener("click", () => void this.#store());
    const head = h("tr", {}, ...this.#columns.map((column, index) => this.#header(column, index)));
    this.append(this.#banner, h("div", { class: "table-wrap mapping-wrap" }, h("table", { class: "table mapping-table" }, h("thead", {}, head), this.#body)), h("p", { class: "help" }, gettext("Saving makes the next version of the dataset: jobs keep the one they were made with.")));
    this.#show();
  }

  #start(name: string, isMapped: boolean): Column {
    const known = this.#data.mapping.find((column) => column.name === name);
    return known ?? { name, role: isMapped ? "item" : likelyRole(name) };
  }

  #header(column: Column, index: number): HTMLElement {
    const select = h("select", { class: "input small", id: `role-${index}`, "aria-label": interpolate(gettext("Part of the column %(name)s"), { name: column.name }, true) });
    select.append(...ROLES.map((role) => h("option", { value: role, selected: role === column.role }, roleLabel(role))));
    const after = h("input", { class: "input small code", id: `after-${index}`, value: column.after ?? "", placeholder: gettext("keep text after…"), maxlength: 64, autocomplete: "off", "aria-label": interpolate(gettext("Keep only the text of %(name)s after"), { name: column.name }, true) });
    const change = (): void => {
      const role = select.value as Role;
      after.hidden = !CAN_BE_CUT.has(role);
      this.#columns[index] = { name: column.name, role, ...(after.value && !after.hidden ? { after: after.value } : {}) };
      this.#show();
    };
    after.hidden = !CAN_BE_CUT.has(column.role);
    select.addEventListener("change", change);
    after.addEventListener("input", change);
    return h("th", { scope: "col" }, h("div", { class: "mapping-head" }, h("code", {}, column.name), select, after));
  }

  #show(): void {
    const { ready, sentence } = mappingState(this.#columns);
    const isSaved = same(asJson(this.#columns), asJson(this.#saved));
    this.#banner.className = `notice ${ready ? "good" : "waiting"}`;
    fill(this.#banner, h("span", {}, sentence), ready && !isSaved ? this.#save : null);
    fill(this.#body, ...this.#data.rows.map(({ row }) => h("tr", {}, ...this.#columns.map((column) => this.#cell(column, row[column.name])))));
  }

  #cell({ role, after }: Column, value: Json | undefined): HTMLElement {
    if (value === undefined || value === null) return h("td", { class: "muted" }, "–");
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const kept = keptText(text, after);
    if (kept === null) return h("td", { class: "cell-problem" }, interpolate(gettext("“%(after)s” does not occur"), { after: after ?? "" }, true));
    if (!after) return h("td", { class: role === "ignored" ? "muted" : "" }, h("div", { class: "cell-text" }, text));
    return h("td", {}, h("div", { class: "cell-text" }, h("mark", {}, kept), h("span", { class: "muted" }, ` ← ${text}`)));
  }

  async #store(): Promise<void> {
    this.#save.disabled = true;
    try {
      const saved = await postJson<{ id: string }>(`/api/v1/datasets/${this.#data.dataset}/mapping`, { columns: this.#columns });
      location.assign(`${this.#data.datasets_url}${saved.id}`);
    } catch (reason) {
      this.#save.disabled = false;
      this.#banner.className = "notice bad";
      fill(this.#banner, h("span", {}, sentenceOf(reason)), this.#save);
    }
  }
}

function asJson(columns: readonly Column[]): Json {
  return columns.map(({ name, role, after }) => ({ name, role, after: after ?? null }));
}

customElements.define("column-mapping", ColumnMapping);
