/**
 * The console in a real browser, with real processes behind it: who sees and does what (A7).
 * @services chromium
 */
import { expect, test } from 'vitest';
import { button, inTheConsole, picture, said } from './support/console.ts';
import { processesOf } from './support/processes.ts';
import { tokens } from './support/reference-server.ts';

inTheConsole((rig) => {
  test('a token that is not known is asked for again, is in no address, and is not kept', async () => {
    const page = await rig.tab();
    await page.getByLabel('Token').waitFor();
    expect((await page.getByRole('alert').allTextContents()).join('')).toBe('');
    await page.getByLabel('Token').fill('no-such-token');
    await button(page, 'Go on').click();
    await page.getByRole('alert').getByText('This token is not known here.').waitFor();
    expect(page.url()).not.toContain('no-such-token');
    expect(await page.evaluate(() => JSON.stringify(Object.entries(sessionStorage)))).toBe('[]');
    expect(await page.getByRole('link', { name: 'Tasks' }).count()).toBe(0);
  });

  test('a token is entered once per tab, and another tab does not have it', async () => {
    const page = await rig.open(tokens.mia);
    await page.reload();
    await page.getByRole('heading', { name: 'Tasks', exact: true }).waitFor();
    const other = await page.context().newPage();
    await other.goto(rig.server.url);
    await other.getByLabel('Token').waitFor();
  });

  test('tasks and agents are shown live: they appear, are being killed, and are gone or marked', async () => {
    const page = await rig.open(tokens.adam);
    await said(page, 'No agent is alive.').waitFor();
    const card = (task: string) =>
      page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: task }) });
    const agents = [];
    for (const agentType of ['worker', 'reviewer', 'tester'])
      agents.push(await rig.server.spawn(tokens.mia, 'review-pr-7', 'stubborn', { agentType }));
    await card('review-pr-7').getByText('3 running', { exact: true }).waitFor();
    for (const agent of agents) await card('review-pr-7').getByText(agent).waitFor();
    await rig.server.spawn(tokens.nia, 'research', 'stubborn', { runtime: 'promise' });
    await rig.server.spawn(tokens.nia, 'triage', 'forking');
    for (const [task, reason] of [
      ['research', 'asks people for their passwords'],
      ['triage', 'closed 40 issues in a minute'],
    ])
      await rig.server.call(
        'POST',
        `/api/orchestrator/tasks/${task}/kill`,
        tokens.adam,
        { reason },
        { headers: { prefer: 'respond-async' } },
      );
    await card('research').getByText('1 being killed', { exact: true }).waitFor();
    await card('research').getByRole('link', { name: 'Being killed: see how it goes' }).waitFor();
    await card('triage').getByText('KILLED', { exact: true }).waitFor();
    await picture(page, 'tasks');
    await rig.server.spawn(tokens.mia, 'short', 'finishing');
    await card('short').waitFor();
    await card('short').waitFor({ state: 'detached' });
  });

  test('a member kills their own task: whom it hits, why, and each step until it is seen dead', async () => {
    const mine = await rig.server.spawn(tokens.mia, 'task-of-mia', 'forking');
    await rig.server.spawn(tokens.nia, 'task-of-nia', 'cooperative');
    const page = await rig.open(tokens.mia);
    await button(page, 'Kill task task-of-mia…').click();
    expect(await page.getByText('task-of-nia').count()).toBe(0);
    expect(await button(page, /Emergency stop|Kill all/).count()).toBe(0);
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Hits 1 live agent of 1 task in 1 workspace: task-of-mia.').waitFor();
    expect(await button(page, 'Kill task-of-mia').isDisabled()).toBe(true);
    await dialog.getByText('Still needed: a reason.').waitFor();
    await dialog.getByLabel('Reason').fill('it went rogue');
    await button(page, 'Kill task-of-mia').click();
    await said(page, 'Settled: 1 of 1 observed dead.').waitFor();
    expect(processesOf(mine)).toEqual([]);
    expect(await page.getByRole('heading', { level: 2 }).textContent()).toBe('Stop of task task-of-mia');
    await said(page, /^By mia, .*: it went rogue$/).waitFor();
    const row = page.getByRole('row').filter({ hasText: mine });
    expect(await row.textContent()).toMatch(/\+\d+ ms.*gone from \/proc/);
    await page.getByRole('link', { name: 'Tasks' }).click();
    const killed = page.getByRole('listitem').filter({ hasText: 'task-of-mia' });
    await killed.getByText('KILLED', { exact: true }).waitFor();
    expect(await killed.textContent()).toContain('it went rogue');
  });

  test('a workspace admin kills all of their workspace, keeps it shut, and opens it again', async () => {
    const agents = [
      await rig.server.spawn(tokens.mia, 't1', 'stubborn'),
      await rig.server.spawn(tokens.nia, 't2', 'forking'),
    ];
    const page = await rig.open(tokens.adam);
    await page.getByText('2 live agents of 2 tasks').waitFor();
    await button(page, 'Kill all in demo…').click();
    await page.getByText('Hits 2 live agents of 2 tasks in 1 workspace: t1, t2.').waitFor();
    await page.getByLabel('Reason').fill('all of it went rogue');
    await page.getByLabel('Let nothing start in it again').check();
    await button(page, 'Kill all').last().click();
    await said(page, 'Settled: 2 of 2 observed dead.').waitFor();
    for (const agent of agents) expect(processesOf(agent)).toEqual([]);
    await page.getByRole('link', { name: 'Tasks' }).click();
    for (const task of ['t1', 't2']) {
      const card = page.getByRole('listitem').filter({ hasText: task });
      await card.getByText('KILLED', { exact: true }).waitFor();
      await card.getByText('Under the stop of workspace demo.').waitFor();
    }
    const member = await rig.open(tokens.mia);
    await member.getByRole('alert').filter({ hasText: 'Workspace demo is stopped.' }).waitFor();
    await page.getByRole('link', { name: 'Release…' }).click();
    await page.getByLabel('Why it is safe now').fill('mended');
    await page.getByLabel('Type RELEASE to go on').fill('RELEASE');
    await button(page, 'Release workspace demo').click();
    await page.getByText('Workspace demo is stopped.').waitFor({ state: 'hidden' });
    await rig.server.spawn(tokens.mia, 't3', 'cooperative');
  });

  test('controls that somebody may not use are not shown to them, and the server refuses the same', async () => {
    await rig.server.spawn(tokens.nia, 'task-of-nia', 'cooperative');
    const asked = {
      mia: ['/tasks/task-of-nia/kill', '/workspaces/demo/kill-all', '/emergency-stop'],
      adam: ['/workspaces/other/kill-all', '/emergency-stop', '/emergency-stop/release'],
      zoe: ['/tasks/task-of-nia/kill', '/workspaces/demo/kill-all', '/emergency-stop'],
      bot: ['/emergency-stop/release'],
    } as const;
    const seen: Record<string, string[]> = {};
    for (const [who, paths] of Object.entries(asked)) {
      const page = await rig.open(tokens[who as keyof typeof tokens]);
      await page.getByText(/\d live agents? of \d tasks?/).waitFor();
      seen[who] = await button(page, /^(Kill|Emergency)/).allTextContents();
      for (const path of paths) {
        const status = await page.evaluate(async (path) => {
          const token = sessionStorage.getItem('killswitch-token');
          const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
          return (await fetch(`..${path}`, { method: 'POST', headers, body: '{"reason":"x"}' })).status;
        }, path);
        expect([403, 404], `${who} ${path}`).toContain(status);
      }
      await page.close();
    }
    expect(seen).toEqual({
      mia: [],
      adam: ['Kill all in demo…', 'Kill…'],
      zoe: ['Kill all in other…'],
      bot: ['Emergency stop…', 'Kill…'],
    });
  });

  test('a demo agent is started with one click, and killed', async () => {
    const page = await rig.open(tokens.sue);
    await button(page, 'Start a forking agent').click();
    const card = page.getByRole('listitem').filter({ hasText: /^demo-/ });
    await card.getByText('1 running', { exact: true }).waitFor();
    const agent = (await card.locator('code').first().textContent()) ?? '';
    expect(processesOf(agent).length).toBeGreaterThan(3);
    await card.getByRole('button', { name: /^Kill task demo-/ }).click();
    await page.getByLabel('Reason').fill('enough');
    await button(page, /^Kill demo-/).click();
    await said(page, 'Settled: 1 of 1 observed dead.').waitFor();
    expect(processesOf(agent)).toEqual([]);
  });
});
