/** Whether keys are shortcuts: whoever is disturbed by them, such as by voice control, turns them off, and the choice is remembered. */

const KEY = 'vitrine.shortcuts';
/** Where a page may not remember, the choice holds while it is open. */
let off = false;

export function shortcutsWanted(): boolean {
  try {
    return !off && localStorage.getItem(KEY) !== 'off';
  } catch {
    return !off;
  }
}

export function wantShortcuts(wanted: boolean): void {
  off = !wanted;
  try {
    if (wanted) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, 'off');
  } catch {
    // It is not remembered.
  }
}
