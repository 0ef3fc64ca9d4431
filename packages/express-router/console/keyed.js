/**
 * @template T
 * @typedef {{ element: HTMLElement, update: (item: T) => void }} Part
 */

/** @type {WeakMap<HTMLElement, { facts: string, update: (item: any) => void }>} */
const parts = new WeakMap();

/**
 * Shows one child per item. The element of an item stays as long as the item does, so that whoever stands on its button, or
 * is just pressing it, is not thrown off when something changes.
 *
 * @template T
 * @param {Element} parent
 * @param {readonly T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => Part<T>} make called once per item; `update` then, and when the item's JSON has changed
 */
export function keyed(parent, items, keyOf, make) {
  const wanted = new Set(items.map(keyOf));
  /** @type {Map<string, HTMLElement>} */
  const there = new Map();
  for (const child of [...parent.children]) {
    const key = child instanceof HTMLElement ? child.dataset.key : undefined;
    if (key === undefined || !wanted.has(key)) child.remove();
    else there.set(key, /** @type {HTMLElement} */ (child));
  }
  /** @type {Element | null} */
  let next = parent.firstElementChild;
  for (const item of items) {
    const element = there.get(keyOf(item)) ?? made(item, keyOf(item), make);
    refresh(element, item);
    if (element === next) next = element.nextElementSibling;
    else parent.insertBefore(element, next);
  }
}

/** @template T @param {T} item @param {string} key @param {(item: T) => Part<T>} make */
function made(item, key, make) {
  const { element, update } = make(item);
  element.dataset.key = key;
  parts.set(element, { facts: '', update });
  return element;
}

/** @param {HTMLElement} element @param {unknown} item */
function refresh(element, item) {
  const part = parts.get(element);
  const facts = JSON.stringify(item);
  if (part === undefined || part.facts === facts) return;
  part.facts = facts;
  part.update(item);
}
