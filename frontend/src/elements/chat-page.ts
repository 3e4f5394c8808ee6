/** <chat-page>: a conversation with one model, or with two side by side, and what a person says of their answers. */

import { ApiError, sentenceOf } from "../api";
import type { AnswerActions, Look } from "../chat/answer-view";
import { Asking } from "../chat/asking";
import { Composer } from "../chat/composer";
import { ConversationList } from "../chat/conversation-list";
import { Judging } from "../chat/judging";
import { Keeper, leftBehind } from "../chat/keeper";
import { LabelTray } from "../chat/label-tray";
import type { Kind } from "../chat/labels";
import { destination } from "../chat/labels";
import { mannerForm } from "../chat/manner-form";
import type { ModelGroup } from "../chat/model-picker";
import { ModelPicker } from "../chat/model-picker";
import type { Thread, Turn } from "../chat/thread";
import { MANNER, newAnswer, settle } from "../chat/thread";
import { TurnView } from "../chat/turn-view";
import { voteOf } from "../chat/vote-bar";
import { fill, h, icon, pageData } from "../dom";
import { LINK, LIST, SLIDERS } from "../icons";
import { toClipboard } from "./copy-button";

interface ChatData {
  groups: ModelGroup[];
  models: string[];
  datasets: Record<Kind, string[]>;
  me: string;
  conversation: { id: string; title: string; revision: number; thread: Thread } | null;
}

const LAST_MODELS = "whetstone.chat.models";
const LOOK = "whetstone.chat.look";
const KINDS: Kind[] = ["preference", "rating", "edit"];

export class ChatPage extends HTMLElement {
  #data!: ChatData;
  #thread!: Thread;
  #keeper!: Keeper;
  #asking!: Asking;
  #judging!: Judging;
  #tray = new LabelTray(() => KINDS.map(destination), (label) => this.#judging.forget(label));
  #list!: ConversationList;
  #composer!: Composer;
  #views: TurnView[] = [];
  #look: Look = (localStorage.getItem(LOOK) as Look | null) ?? "markdown";
  #turns = h("div", { class: "chat-turns", role: "log", "aria-label": gettext("Conversation") });
  #notice = h("div", { class: "chat-notice", role: "status" });

  connectedCallback(): void {
    if (this.firstElementChild !== null) return;
    this.#data = pageData<ChatData>(this.getAttribute("data") ?? "chat-data");
    const left = leftBehind(this.#data.conversation);
    this.#thread = left ?? this.#data.conversation?.thread ?? { models: this.#firstModels(), manner: { ...MANNER }, turns: [] };
    this.#keeper = new Keeper(this.#thread, this.#data.conversation);
    this.#keeper.addEventListener("kept", () => this.#wasKept());
    this.#keeper.addEventListener("refused", (event) => this.#wasRefused((event as CustomEvent<unknown>).detail));
    this.#asking = new Asking(this.#thread, () => this.#changed());
    this.#judging = new Judging(this.#thread, this.#views, async () => `conversation:${await this.#keeper.id()}`, this.#tray, () => this.#changed());
    this.#list = new ConversationList(this.#data.conversation?.id ?? null, this.#data.me);
    this.#composer = new Composer(`chat.${this.#data.conversation?.id ?? "new"}`, (text) => this.#send(text), () => this.#asking.stopAll());
    document.addEventListener("keydown", (event) => this.#key(event));
    this.#build();
    this.#drawAll();
    void this.#list.refresh();
    void this.#tray.refresh();
    if (this.#data.conversation !== null) void this.#judging.recall();
    if (left !== null) this.#keeper.changed();
    this.#composer.area.focus();
  }

  /** Those asked for in the address, else those of the last time, else the first there is. */
  #firstModels(): string[] {
    const known = new Set(this.#data.groups.flatMap(({ models }) => models));
    const last = (localStorage.getItem(LAST_MODELS) ?? "").split("\n").filter((name) => known.has(name));
    const found = this.#data.models.length > 0 ? this.#data.models : last;
    return found.length > 0 ? found.slice(0, 2) : [...known].slice(0, 1);
  }

  #build(): void {
    const picker = new ModelPicker(this.#data.groups, this.#thread.models, () => {
      localStorage.setItem(LAST_MODELS, this.#thread.models.join("\n"));
      this.#changed();
    });
    const settings = mannerForm(this.#thread.manner, this.#data.datasets, () => this.#changed(), () => void this.#tray.refresh());
    settings.hidden = true;
    const side = h("dialog", { class: "side-panel conversations-panel" });
    const toggle = (label: string, drawing: string, work: (button: HTMLElement) => void, className = ""): HTMLElement => {
      const button = h("button", { type: "button", class: `button small ${className}`, title: label, onclick: () => work(button) }, icon(drawing), h("span", {}, label));
      return button;
    };
    const open = toggle(gettext("Conversations"), LIST, () => this.#openList(side), "only-narrow");
    const set = toggle(gettext("Settings"), SLIDERS, (button) => {
      settings.hidden = !settings.hidden;
      button.setAttribute("aria-expanded", String(!settings.hidden));
    });
    set.setAttribute("aria-expanded", "false");
    const share = toggle(gettext("Share"), LINK, () => void this.#share());
    const bar = h("div", { class: "chat-bar" }, open, picker.element, h("span", { class: "push row" }, this.#lookSelect(), set, share));
    const foot = h("div", { class: "chat-foot" }, this.#notice, this.#tray.element, this.#composer.element, h("p", { class: "help chat-keys" }, gettext("Enter sends, Shift+Enter begins a line, Esc stops. 1 to 4 vote when nothing is being typed; with Alt always.")));
    this.append(this.#list.element, h("div", { class: "chat-main" }, bar, settings, this.#turns, foot), side);
  }

  #lookSelect(): HTMLElement {
    const looks: Record<Look, string> = { markdown: gettext("Markdown"), text: gettext("Plain text"), tokens: gettext("Token probabilities") };
    const select = h("select", { class: "input small", "aria-label": gettext("How answers are shown") }, ...Object.entries(looks).map(([value, label]) => h("option", { value }, label)));
    select.value = this.#look;
    select.addEventListener("change", () => {
      this.#look = select.value as Look;
      localStorage.setItem(LOOK, this.#look);
      for (const view of this.#views) {
        view.look = this.#look;
        view.draw();
      }
    });
    return select;
  }

  #openList(side: HTMLDialogElement): void {
    const home = this.#list.element.parentElement;
    fill(side, this.#list.element);
    side.showModal();
    const back = (event: Event): void => {
      if (event.type === "click" && event.target !== side) return;
      side.close();
      home?.prepend(this.#list.element);
    };
    side.addEventListener("click", back);
    side.addEventListener("close", () => home?.prepend(this.#list.element), { once: true });
  }

  #drawAll(): void {
    this.#views.splice(0, this.#views.length, ...this.#thread.turns.map((turn, at) => this.#views[at]?.turn === turn ? (this.#views[at] as TurnView) : this.#view(turn)));
    if (this.#views.length > 0) return void fill(this.#turns, ...this.#views.map(({ element }) => element));
    const hint = gettext("Ask one model, or two side by side with the same settings. Votes, thumbs and corrections become a dataset to train on.");
    fill(this.#turns, h("div", { class: "chat-empty" }, h("h2", {}, gettext("What do you want to ask?")), h("p", {}, hint)));
  }

  #view(turn: Turn): TurnView {
    const view: TurnView = new TurnView(
      turn,
      {
        edit: (message) => this.#editMessage(view, message),
        answer: (index) => this.#answerActions(() => view, index),
        vote: (verdict) => void this.#judging.vote(view, verdict),
        undoVote: () => void this.#judging.undoVote(view),
      },
      this.#look,
    );
    return view;
  }

  #answerActions(view: () => TurnView, index: number): AnswerActions {
    return {
      regenerate: () => void this.#regenerate(view(), index),
      stop: () => {
        const answer = view().answers[index];
        if (answer !== undefined) this.#asking.stop(answer);
      },
      goOn: () => {
        this.#cut(view());
        view().turn.goes_on = index;
        view().draw();
        this.#changed();
      },
      rate: (verdict) => void this.#judging.rate(view(), index, verdict === "good" ? "good" : "bad"),
      edit: (text) => void this.#editAnswer(view(), index, text),
    };
  }

  #send(message: string): void {
    const turn: Turn = { message, answers: [], goes_on: 0 };
    this.#thread.turns.push(turn);
    this.#drawAll();
    void this.#answer(this.#views.at(-1) as TurnView);
    void this.#keeper.id().catch(() => undefined);
  }

  /** Every model that is chosen now answers. */
  async #answer(view: TurnView): Promise<void> {
    const { turn } = view;
    turn.answers = this.#thread.models.map(newAnswer);
    turn.goes_on = 0;
    view.vote = null;
    view.ratings.clear();
    view.rebuild();
    view.element.scrollIntoView({ block: "end" });
    const number = this.#views.indexOf(view);
    await Promise.all(view.answers.map((answer, place) => this.#asking.write(answer, number, place)));
    this.#settled(view);
  }

  async #regenerate(view: TurnView, index: number): Promise<void> {
    this.#cut(view);
    this.#judging.clear(view, index);
    const answer = view.answers[index];
    if (answer === undefined) return;
    const writing = this.#asking.write(answer, this.#views.indexOf(view), index);
    view.draw();
    await writing;
    this.#settled(view);
  }

  #settled(view: TurnView): void {
    settle(view.turn);
    const isBusy = view.answers.some(({ isWriting }) => isWriting);
    if (!isBusy && view.answers.every(({ answer }) => answer.finish !== "broken")) view.draw();
    this.#changed();
  }

  #editMessage(view: TurnView, message: string): void {
    this.#asking.stopAll();
    this.#cut(view, { ...view.turn, answers: [...view.turn.answers] });
    view.turn.message = message;
    void this.#answer(view);
  }

  async #editAnswer(view: TurnView, index: number, text: string): Promise<void> {
    const answer = view.turn.answers[index];
    if (answer === undefined) return;
    this.#cut(view);
    await this.#judging.correct(view, index, text);
    this.#judging.clear(view, index);
    answer.written ??= answer.text;
    answer.text = text;
    if (answer.written === text) answer.written = null;
    view.turn.goes_on = index;
    view.draw();
    this.#changed();
    this.#composer.area.focus();
  }

  /** What followed upon a turn that changes is taken away, and can be brought back. */
  #cut(view: TurnView, before: Turn | null = null): void {
    const at = this.#views.indexOf(view);
    const gone = this.#thread.turns.splice(at + 1);
    if (gone.length === 0 && before === null) return;
    this.#drawAll();
    if (gone.length === 0) return;
    const counted = ngettext("%(n)s later message was taken away.", "%(n)s later messages were taken away.", gone.length);
    const undo = h("button", { type: "button", class: "button small", onclick: () => this.#restore(at, before, gone) }, gettext("Undo"));
    this.#tell([h("span", { class: "grow" }, interpolate(counted, { n: gone.length }, true)), undo]);
  }

  #restore(at: number, before: Turn | null, gone: Turn[]): void {
    this.#asking.stopAll();
    if (before !== null) this.#thread.turns[at] = before;
    this.#thread.turns.splice(at + 1, Infinity, ...gone);
    this.#drawAll();
    this.#tell([]);
    void this.#judging.recall();
    this.#changed();
  }

  #changed(): void {
    this.#composer.isWriting = this.#asking.isWriting;
    this.#keeper.changed();
    const isAtEnd = this.#turns.scrollHeight - this.#turns.scrollTop - this.#turns.clientHeight < 120;
    if (isAtEnd) this.#turns.scrollTop = this.#turns.scrollHeight;
  }

  #wasKept(): void {
    const { kept } = this.#keeper;
    if (kept === null) return;
    if (this.#list.open !== kept.id) history.replaceState(null, "", `/chat/${kept.id}`);
    const isListed = this.#list.open === kept.id;
    this.#list.open = kept.id;
    if (!isListed) void this.#list.refresh();
  }

  #wasRefused(reason: unknown): void {
    const buttons = [h("button", { type: "button", class: "button small", onclick: () => location.reload() }, gettext("Read it again"))];
    const isConflict = reason instanceof ApiError && reason.problem.code !== "conversation.too_large";
    const asNew = (): void => void this.#keeper.keepAsNew().then(() => this.#tell([]));
    if (isConflict) buttons.push(h("button", { type: "button", class: "button small", onclick: asNew }, gettext("Keep mine as a new one")));
    this.#tell([h("span", { class: "grow" }, sentenceOf(reason)), ...(reason instanceof ApiError ? buttons : [])]);
  }

  #tell(parts: Node[]): void {
    this.#notice.className = parts.length === 0 ? "chat-notice" : "chat-notice notice waiting";
    fill(this.#notice, ...parts);
  }

  async #share(): Promise<void> {
    if (this.#thread.turns.length === 0) return this.#tell([h("span", {}, gettext("There is nothing to share yet: send a message first."))]);
    const id = await this.#keeper.id();
    await this.#keeper.save();
    await toClipboard(new URL(`/chat/${id}`, location.href).href);
    const told = h("span", { title: gettext("Everybody of your team can open it") }, gettext("Link copied"));
    this.#tell([told]);
    setTimeout(() => told.isConnected && this.#tell([]), 4000);
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "Escape" && this.#asking.isWriting) return this.#asking.stopAll();
    const view = this.#views.at(-1);
    const verdict = voteOf(event);
    if (verdict === null || view === undefined || view.answers.length < 2 || this.#asking.isWriting || document.querySelector("dialog[open]") !== null) return;
    event.preventDefault();
    void this.#judging.vote(view, verdict);
  }
}

customElements.define("chat-page", ChatPage);
