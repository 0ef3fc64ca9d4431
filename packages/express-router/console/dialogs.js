import { call } from './api.js';
import { byId, count, h } from './dom.js';

/**
 * Asks why, says whom it hits, and does it.
 *
 * @param {object} what
 * @param {string} what.title
 * @param {string} what.method
 * @param {string} what.path of the kill endpoint
 * @param {object} [what.more] goes into the body beside the reason
 * @param {string} what.act what the button says
 * @param {string} [what.word] has to be typed before the button can be pressed
 * @param {string} [what.warning]
 */
export function stopDialog({ title, method, path, more = {}, act, word, warning }) {
  const reason = h('textarea', { required: true, maxlength: '2000', rows: '2', name: 'reason' });
  const typed = h('input', { autocomplete: 'off', name: 'word' });
  const radius = h('p', { role: 'status' }, 'Looking who would be hit…');
  const fault = h('p', { class: 'fault', role: 'alert' });
  const button = h('button', { class: 'danger', disabled: true }, act);
  const arm = () => {
    button.disabled = reason.value.trim() === '' || (word !== undefined && typed.value.trim() !== word);
  };
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    fault.textContent = '';
    try {
      const { orderId } = await call(method, path, { reason: reason.value, ...more });
      dialog.close();
      location.hash = `#/orders/${encodeURIComponent(orderId)}`;
    } catch (error) {
      fault.textContent = `Not stopped, as far as is known: ${error instanceof Error ? error.message : error}`;
      arm();
    }
  };
  const id = `title-${Math.round(performance.now())}`;
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
      word === undefined ? undefined : h('label', {}, `Type ${word} to go on`, typed),
      fault,
      h(
        'div',
        { class: 'row' },
        button,
        h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'),
      ),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  reason.focus();
  void blast(method, path, radius);
}

/** What a stop would hit, by the very resolver that it uses. @param {string} method @param {string} path @param {HTMLElement} radius */
async function blast(method, path, radius) {
  try {
    /** @type {import('./types.js').Preview} */
    const { total, tasks, workspaces, byStatus, agents } = await call(method, `${path}?preview=true`);
    const names = [...new Set(agents.map(({ taskId }) => taskId))].slice(0, 5);
    const more = tasks > names.length ? ` and ${count(tasks - names.length, 'more task')}` : '';
    radius.textContent =
      total === 0
        ? 'No agent is alive in it now. The stop bars what would start.'
        : `Hits ${count(total, 'live agent')} of ${count(tasks, 'task')} in ${count(workspaces, 'workspace')}: ${names.join(', ')}${more}.` +
          (byStatus.killing ? ` ${byStatus.killing} of them being killed already.` : '');
  } catch (error) {
    radius.textContent = `Whom it hits cannot be seen (${error instanceof Error ? error.message : error}); it can be stopped all the same.`;
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

/** Says it to those who do not see it. @param {string} text */
export function announce(text) {
  byId('news').textContent = text;
}
