/** What this browser remembers of its person's taste. Nothing secret: the token is a cookie that no script can read. */
const PREFIX = "scannerd.";

export function kept(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null; // private windows may refuse
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // It is only a taste.
  }
}
