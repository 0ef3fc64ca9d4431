import { call } from './api.js';
import { count, h, messageOf, words } from './dom.js';
import { healthIn } from './health.js';

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
        headers: { Prefer: 'respond-async' },
      });
      dialog.close();
      location.hash = `#/orders/${encodeURIComponent(orderId)}`;
    } catch (error) {
      fault.textContent = `Not stopped, as far as is known: ${messageOf(error)}`;
      arm();
    }
  };
  const dialog = h(
    'dialog',
    { 'aria-labelledby': id, onclose: () => dialog.remove() },
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
  void blast(method, path, radius);
}

/** What a stop would hit, by the very resolver that it uses. @param {string} method @param {string} path @param {HTMLElement} radius */
async function blast(method, path, radius) {
  try {
    /** @type {import('./types.js').Preview} */
    const { total, tasks, workspaces, byStatus, agents } = await call(method, `${path}?preview=true`);
    if (total === 0) {
      radius.replaceChildren('No agent is alive in it now. The stop bars what would start.');
      return;
    }
    const names = [...new Set(agents.map(({ taskId }) => taskId))].slice(0, 5);
    const more = tasks > names.length ? ` and ${count(tasks - names.length, 'more task')}` : '';
    const already = byStatus.killing ? ` ${byStatus.killing} of them being killed already.` : '';
    radius.replaceChildren(
      h('strong', {}, `Hits ${count(total, 'live agent')}`),
      ` of ${count(tasks, 'task')} in ${count(workspaces, 'workspace')}: `,
      words(names.join(', ')),
      `${more}.${already}`,
    );
  } catch (error) {
    radius.textContent = `Whom it hits cannot be seen (${messageOf(error)}); it can be stopped all the same.`;
  }
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
