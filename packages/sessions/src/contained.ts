/** Does what no shutdown may fail by: stderr can be closed by then. */
export function contained(work: () => void): void {
  try {
    work();
  } catch {
    // There is nowhere left to say it.
  }
}
