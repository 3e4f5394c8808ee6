/** Keeping the focus, and the caret in it, where elements are drawn anew under the same ids. */

export function keepFocus(draw: () => void): void {
  const before = document.activeElement;
  const caret = isText(before) ? ([before.selectionStart, before.selectionEnd] as const) : null;
  draw();
  if (!before?.id || before.isConnected) return;
  const after = document.getElementById(before.id);
  after?.focus();
  if (caret !== null && isText(after)) after.setSelectionRange(...caret);
}

function isText(element: Element | null): element is HTMLInputElement | HTMLTextAreaElement {
  if (element instanceof HTMLTextAreaElement) return true;
  return element instanceof HTMLInputElement && element.type === "text";
}
