/** Reads what the page kept in its own storage: an object, empty where there is none or it cannot be read. */
export function readKept(key: string): Partial<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? '{}');
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
