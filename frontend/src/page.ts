/** Small behaviours of plain HTML: the menu on narrow screens, dialogs, forms that send themselves. */

export function startPage(): void {
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    openDialog(target?.closest<HTMLElement>("[data-opens]") ?? null);
    target?.closest("[data-closes]")?.closest("dialog")?.close();
    if (target?.closest("[data-menu]")) toggleMenu();
  });
  document.addEventListener("change", (event) => {
    if (event.target instanceof HTMLSelectElement && event.target.dataset["submits"] !== undefined) event.target.form?.requestSubmit();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.body.classList.remove("menu-open");
  });
  for (const time of document.querySelectorAll<HTMLTimeElement>("time[datetime]")) localise(time);
}

function openDialog(opener: HTMLElement | null): void {
  if (opener === null) return;
  document.querySelector<HTMLDialogElement>(`#${opener.dataset["opens"] ?? ""}`)?.showModal();
}

function toggleMenu(): void {
  const isOpen = document.body.classList.toggle("menu-open");
  document.querySelector("[data-menu]")?.setAttribute("aria-expanded", String(isOpen));
}

/** The server writes UTC; the reader's own time stands in the title. */
function localise(time: HTMLTimeElement): void {
  const moment = new Date(time.dateTime);
  if (!Number.isNaN(moment.getTime())) time.title = moment.toLocaleString(document.documentElement.lang || "en");
}
