/** What is wrong with what was given as the killswitch: nothing, or one line. */
export function killswitchFaults(ks: unknown): string[] {
  const { admit, shutdown } = (ks ?? {}) as { readonly admit?: unknown; readonly shutdown?: unknown };
  const isOne = typeof admit === 'function' && typeof shutdown === 'function';
  return isOne ? [] : ['ks: must be a killswitch, as createKillswitch makes it'];
}
