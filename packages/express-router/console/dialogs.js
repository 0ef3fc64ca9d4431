import { call, isSilence } from './api.js';
import { count, h, messageOf, words } from './dom.js';
import { healthIn } from './health.js';
import { lookAgain } from './pace.js';

/**
 * @typedef {object} Stop what is to be done
 * @property {string} title
 * @property {string} method
 * @property {string} path of the kill endpoint
 * @property {string} act what the button says
 * @property {string} [word] has to be typed before the button can be pressed
 * @property {string} [warning]
 * @property {string} [hold] what the box says that keeps the gate shut afterwards; without it there is no box
 */

let dialogs = 0;

/** Says whom it hits, asks why, and does it: then its page is shown at once, while it goes on. @param {Stop} stop */
export function stopDialog(stop) {
  const { title, method, path, act, word, warning } = stop;
  const id = `dialog-${dialogs++}`;
  const reason = h('textarea', { required: true, maxlength: '2000', rows: '2', name: 'reason' });
  const typed = h('input', {
    ...{ autocomplete: 'off', autocapitalize: 'characters', spellcheck: 'false', name: 'word' },
  });
  const hold = h('input', { type: 'checkbox', name: 'hold' });
  const radius = h('div', { role: 'status', class: 'radius' }, 'Looking who would be hit…');
  const closed = new AbortController();
  // Its answer may be lost, and a browser may send it again by itself: it is one stop all the same.
  const key = [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join('-');
  const fault = h('p', { class: 'fault', role: 'alert' });
  const missing = h('p', { class: 'quiet', id: `${id}-missing` });
  const button = h('button', { class: 'danger', 'aria-describedby': missing.id }, act);
  const arm = () => {
    const lacks = [
      ...(reason.value.trim() === '' ? ['a reason'] : []),
      ...(word !== undefined && typed.value.trim().toUpperCase() !== word ? [`the word ${word}`] : []),
    ];
    button.disabled = lacks.length > 0;
    missing.textContent = lacks.length > 0 ? `Still needed: ${lacks.join(' and ')}.` : '';
  };
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    fault.textContent = '';
    try {
      const { orderId } = await call(method, path, {
        body: { reason: reason.value, ...(stop.hold !== undefined && { hold: hold.checked }) },
        headers: { Prefer: 'respond-async', 'Idempotency-Key': key },
      });
      dialog.close();
      location.hash = `#/orders/${encodeURIComponent(orderId)}`;
    } catch (error) {
      fault.textContent = isSilence(error)
        ? 'No answer: whether it is stopped is not known. Pressing again asks for the same stop.'
        : `Not stopped, as far as is known: ${messageOf(error)}`;
      arm();
    }
  };
  const dialog = h(
    'dialog',
    {
      'aria-labelledby': id,
      onclose: () => {
        closed.abort();
        dialog.remove();
      },
    },
    h(
      'form',
      { onsubmit: send, oninput: arm },
      h('h2', { id }, title),
      radius,
      warning === undefined ? undefined : h('p', {}, h('strong', {}, warning)),
      h('label', {}, 'Reason, for the record', reason),
      stop.hold === undefined ? undefined : h('label', { class: 'box' }, hold, stop.hold),
      word === undefined ? undefined : h('label', {}, `Type ${word} to go on`, typed),
      fault,
      missing,
      h(
        'div',
        { class: 'row' },
        button,
        h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'),
      ),
    ),
  );
  arm();
  document.body.append(dialog);
  healthIn(dialog);
  dialog.showModal();
  reason.focus();
  void lookAgain(() => blast(method, path, radius), closed.signal);
}

/**
 * What a stop would hit, by the very resolver that it uses; looked up as long as somebody thinks it over.
 *
 * @param {string} method
 * @param {string} path
 * @param {HTMLElement} radius
 */
async function blast(method, path, radius) {
  try {
    say(radius, hitBy(await call(method, `${path}?preview=true`)));
  } catch (error) {
    say(radius, [`Whom it hits cannot be seen (${messageOf(error)}); it can be stopped all the same.`]);
  }
}

/** @param {import('./types.js').Preview} preview @returns {(Node | string)[]} */
function hitBy({ total, tasks, workspaces, byStatus, agents }) {
  if (total === 0) return ['No agent is alive in it now. The stop bars what would start.'];
  const names = [...new Set(agents.map(({ taskId }) => taskId))].slice(0, 5);
  const more = tasks > names.length ? ` and ${count(tasks - names.length, 'more task')}` : '';
  const already = byStatus.killing ? ` ${byStatus.killing} of them being killed already.` : '';
  return [
    h('strong', {}, `Hits ${count(total, 'live agent')}`),
    ` of ${count(tasks, 'task')} in ${count(workspaces, 'workspace')}: `,
    words(names.join(', ')),
    `${more}.${already}`,
  ];
}

/** Nothing is said again to those who do not see it as long as it stays the same. @param {HTMLElement} place @param {(Node | string)[]} parts */
function say(place, parts) {
  const text = parts.map((part) => (typeof part === 'string' ? part : part.textContent)).join('');
  if (place.textContent !== text) place.replaceChildren(...parts);
}

/** Stopping everything takes two deliberate steps. */
export function emergencyDialog() {
  stopDialog({
    title: 'Emergency stop: everything, everywhere',
    method: 'POST',
    path: '/emergency-stop',
    act: 'Stop everything now',
    word: 'STOP',
    warning: 'Every agent is killed without grace, and none starts again until somebody releases it.',
  });
}
