/** Parts of a page that the server draws, drawn again without a reload: nothing that somebody reads or types is lost. */

export async function refreshParts(): Promise<void> {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (answer === null || !answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-refresh][id]")) {
    const now = fresh.getElementById(part.id);
    if (now !== null) part.replaceChildren(...now.childNodes);
  }
}
