/** Text from the sandbox into the clipboard of the person's machine. */

/** Says whether the page was allowed to. */
export async function copyToHost(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Some engines only copy what is selected.
    return copySelected(text);
  }
}

function copySelected(text: string): boolean {
  const before = document.activeElement;
  const holder = document.createElement('textarea');
  holder.value = text;
  holder.style.position = 'fixed';
  holder.style.opacity = '0';
  document.body.append(holder);
  holder.select();
  const copied = document.execCommand('copy');
  holder.remove();
  if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  return copied;
}
