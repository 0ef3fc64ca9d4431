/**
 * The audit record in the console (A6, A7): by what is asked for, and whether it is what was written.
 * @services chromium
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { button, expectAccessible, inTheConsole, picture } from './support/console.ts';
import { type Life, tokens } from './support/reference-server.ts';

const rows = (page: Page) => page.getByRole('region', { name: 'Records' }).locator('tbody tr');

/** Waits until the record holds that many events of that kind, and answers what each row says. */
async function told(page: Page, kind: string, wanted: number): Promise<string[]> {
  await page.getByLabel('Kind').selectOption({ label: kind });
  await button(page, 'Look').click();
  if (wanted === 0) await page.getByText('Nothing on record.').waitFor();
  else
    await rows(page)
      .nth(wanted - 1)
      .waitFor();
  return rows(page).allTextContents();
}

async function kill(server: Life, who: 'mia' | 'nia', task: string): Promise<string> {
  await server.spawn(tokens[who], task, 'cooperative');
  const answer = await server.call('POST', `/api/orchestrator/tasks/${task}/kill`, tokens[who], {
    reason: `${task} went rogue`,
  });
  return answer.body.orderId;
}

/** As a field of a time takes it. */
function inHours(hours: number): string {
  const at = new Date(Date.now() + hours * 3_600_000);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

inTheConsole((rig) => {
  test('the record is asked for by task, stop, person, kind and time', async () => {
    const { server } = rig;
    await kill(server, 'mia', 't1');
    const orderId = await kill(server, 'nia', 't2');
    await server.call('POST', '/api/orchestrator/emergency-stop', tokens.mia, { reason: 'not mine' });
    const page = await rig.open(tokens.sue);
    await page.getByRole('link', { name: 'Record' }).click();
    expect(await told(page, 'Agents seen dead', 2)).toHaveLength(2);
    const asked = [
      ['Task', 't1', 't1 went rogue'],
      ['Person', 'nia', 't2 went rogue'],
      ['Stop', orderId, 't2 went rogue'],
    ] as const;
    for (const [field, value, reason] of asked) {
      await page.getByLabel(field, { exact: true }).fill(value);
      await button(page, 'Look').click();
      await rows(page).nth(1).waitFor({ state: 'hidden' });
      expect(await told(page, 'Agents seen dead', 1)).toEqual([expect.stringContaining(reason)]);
      await page.getByLabel(field, { exact: true }).fill('');
    }
    expect(await told(page, 'Denials', 1)).toEqual([expect.stringMatching(/mia.*Everything.*not mine/)]);
    await page.getByLabel('From').fill(inHours(-1));
    await page.getByLabel('Until').fill(inHours(1));
    expect(await told(page, 'Agents seen dead', 2)).toHaveLength(2);
    await page.getByLabel('From').fill(inHours(1));
    await page.getByLabel('Until').fill('');
    expect(await told(page, 'Agents seen dead', 0)).toEqual([]);
    await page.goto(`${server.url}/api/orchestrator/console/#/orders/${orderId}`);
    await page.getByRole('link', { name: 'On record' }).click();
    expect(await told(page, 'Agents seen dead', 1)).toEqual([expect.stringContaining('t2 went rogue')]);
  });

  test('verify says that the record is whole, or names the first bad record of one that was changed', async () => {
    await kill(rig.server, 'mia', 't1');
    await kill(rig.server, 'mia', 't2');
    const page = await rig.open(tokens.sue);
    await page.getByRole('link', { name: 'Record' }).click();
    await button(page, 'Verify the record').click();
    const whole = page.getByText(/^The record is whole: \d+ records checked, each as it was written\.$/);
    await whole.waitFor();
    await expectAccessible(page);

    const { journalFile } = rig.site;
    const lines = readFileSync(journalFile, 'utf8').split('\n');
    const { seq, event } = JSON.parse(lines.find((line) => /agent\.killed.*t2 went rogue/.test(line))!);
    const text = lines
      .map((line) => (line.includes(event.id) ? line.replace('t2 went rogue', 't2 went happy') : line))
      .join('\n');
    writeFileSync(journalFile, text);
    await button(page, 'Verify the record').click();
    const verdict = page.getByRole('alert').filter({ hasText: 'THE RECORD IS BROKEN' });
    await verdict.getByText(`number ${seq} of chain`).waitFor();
    expect(await verdict.textContent()).toContain(`event ${event.id}`);
    expect(await verdict.textContent()).toContain(`${seq} records before it: in order.`);
    expect(await whole.count()).toBe(0);
    expect(await page.locator('tr.bad').allTextContents()).toEqual([
      expect.stringContaining('t2 went rogue'),
    ]);
    await expectAccessible(page);
    await picture(page, 'broken-record');
  });

  test('a member reads about their own tasks, by name, and verifies nothing', async () => {
    await kill(rig.server, 'mia', 't1');
    const page = await rig.open(tokens.mia);
    await page.getByRole('link', { name: 'Record' }).click();
    await page.getByText('Name a task or a stop of your own.').waitFor();
    await page.getByLabel('Task').fill('t1');
    expect(await told(page, 'Agents seen dead', 1)).toEqual([expect.stringContaining('t1 went rogue')]);
    expect(await button(page, 'Verify the record').count()).toBe(0);
    expect(await page.getByLabel('Workspace').count()).toBe(0);
  });
});
