/** The team's conversations at the side: opened, searched, renamed and deleted. */

import { getJson, patchJson, remove, sentenceOf } from "../api";
import { debounce, fill, h, icon } from "../dom";
import { ADD, EDIT, TRASH } from "../icons";

interface Line {
  id: string;
  title: string;
  models: string[];
  author: string;
}

const HOME = "/api/v1/conversations";
const SHOWN = 100;

export class ConversationList {
  readonly element = h("nav", { class: "conversations", "aria-label": gettext("Conversations") });
  #search = h("input", { class: "input small", type: "search", maxlength: 200, placeholder: gettext("Find"), "aria-label": gettext("Find a conversation") });
  #list = h("ul", { class: "conversation-lines" });
  #dialog = h("dialog", {});

  /** `open`: the id of the one on the page. */
  constructor(
    public open: string | null,
    readonly me: string,
  ) {
    const fresh = h("a", { class: "button block", href: "/chat" }, icon(ADD), gettext("New conversation"));
    this.#search.addEventListener("input", debounce(() => void this.refresh(), 200));
    this.element.append(fresh, this.#search, this.#list, this.#dialog);
  }

  async refresh(): Promise<void> {
    const query = new URLSearchParams({ q: this.#search.value.trim(), limit: String(SHOWN) });
    try {
      const { data, total } = await getJson<{ data: Line[]; total: number }>(`${HOME}?${query}`);
      this.#search.hidden = this.#search.value === "" && total < 8;
      const nothing = this.#search.value === "" ? gettext("Conversations of your team appear here.") : gettext("No title has this in it.");
      fill(this.#list, ...(data.length === 0 ? [h("li", { class: "muted" }, nothing)] : data.map((line) => this.#line(line))));
    } catch (reason) {
      fill(this.#list, h("li", { class: "error-text" }, sentenceOf(reason)));
    }
  }

  #line(line: Line): HTMLElement {
    const title = line.title || gettext("Untitled");
    const about = line.author === this.me ? line.models.join(" · ") : `${line.author} · ${line.models.join(" · ")}`;
    const button = (label: string, drawing: string, work: () => void): HTMLElement =>
      h("button", { type: "button", class: "button ghost small square", title: label, "aria-label": `${label}: ${title}`, onclick: work }, icon(drawing));
    return h(
      "li",
      { class: line.id === this.open ? "conversation is-open" : "conversation" },
      h("a", { href: `/chat/${line.id}`, "aria-current": line.id === this.open ? "page" : null, title }, h("span", { class: "one-line" }, title), h("span", { class: "one-line help" }, about)),
      h("span", { class: "conversation-buttons" }, button(gettext("Rename"), EDIT, () => this.#rename(line)), button(gettext("Delete"), TRASH, () => this.#delete(line))),
    );
  }

  #rename(line: Line): void {
    const input = h("input", { class: "input", maxlength: 200, required: true, "aria-label": gettext("Title") });
    input.value = line.title;
    this.#ask(gettext("Rename the conversation"), input, gettext("Rename"), "primary", () => patchJson(`${HOME}/${line.id}`, { title: input.value.trim() }));
    input.select();
  }

  #delete(line: Line): void {
    const lost = h("p", {}, gettext("Its messages are lost, for everybody of the team. Labels that were given in it stay."));
    const title = interpolate(gettext("Delete “%(title)s”?"), { title: line.title || gettext("Untitled") }, true);
    this.#ask(title, lost, gettext("Delete"), "danger", async () => {
      await remove(`${HOME}/${line.id}`);
      if (line.id === this.open) location.assign("/chat");
    });
  }

  #ask(title: string, body: HTMLElement, action: string, mood: string, work: () => Promise<unknown>): void {
    const problem = h("p", { class: "error-text", role: "alert" });
    const form = h("form", { class: "dialog-body" }, h("h2", {}, title), body, problem);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void work().then(
        () => {
          this.#dialog.close();
          return this.refresh();
        },
        (reason: unknown) => fill(problem, sentenceOf(reason)),
      );
    });
    const cancel = h("button", { type: "button", class: "button", onclick: () => this.#dialog.close() }, gettext("Cancel"));
    form.append(h("div", { class: "dialog-actions" }, cancel, h("button", { class: `button ${mood}` }, action)));
    fill(this.#dialog, form);
    this.#dialog.showModal();
  }
}
