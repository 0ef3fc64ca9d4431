/**
 * An element. Attributes as in HTML; `on…` are listeners; what is `undefined` or `false` is left out.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | boolean | undefined | ((event: Event) => void)>} attributes
 * @param {(Node | string | undefined)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`No element "${id}"`);
  return element;
}

/**
 * Shows one child per item and keeps the element of an item that stays, so that whoever stands on one of its buttons is not
 * thrown off when something else changes.
 *
 * @template T
 * @param {Element} parent
 * @param {readonly T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => HTMLElement} show called again only for items whose JSON has changed
 */
export function keyed(parent, items, keyOf, show) {
  /** @type {Map<string, HTMLElement>} */
  const before = new Map();
  for (const child of parent.children)
    if (child instanceof HTMLElement && child.dataset.key !== undefined) before.set(child.dataset.key, child);
  /** @type {HTMLElement | undefined} */
  let last;
  for (const item of items) {
    const key = keyOf(item);
    const facts = JSON.stringify(item);
    let element = before.get(key);
    if (element === undefined || element.dataset.facts !== facts) {
      const made = show(item);
      made.dataset.key = key;
      made.dataset.facts = facts;
      const held = element?.contains(document.activeElement)
        ? document.activeElement?.textContent
        : undefined;
      element?.replaceWith(made);
      if (held !== undefined)
        /** @type {HTMLElement | undefined} */ (
          [...made.querySelectorAll('button, a')].find((each) => each.textContent === held)
        )?.focus();
      element = made;
    }
    before.delete(key);
    const place = last === undefined ? parent.firstElementChild : last.nextElementSibling;
    if (place !== element) parent.insertBefore(element, place);
    last = element;
  }
  for (const gone of before.values()) gone.remove();
}

/** @param {string} time RFC 3339 */
export function clock(time) {
  return new Date(time).toLocaleString();
}

/** @param {number} count @param {string} word */
export function count(count, word) {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
