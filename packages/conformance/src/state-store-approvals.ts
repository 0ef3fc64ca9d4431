import type { Approval, StateStore } from '@agent-killswitch/core';
import { expectThat } from './clause.ts';
import { clause, type StateStoreClause } from './state-store-clause.ts';
import { epoch, expectSame, orderOf } from './state-store-records.ts';

function approvalOf(id: string, orderIds: readonly string[], at: number = epoch): Approval {
  return { orderIds: [...orderIds], principal: { id, kind: 'user' }, reason: `fixed, says ${id}`, at };
}

/** Approves and expects that exactly these are kept for its orders. */
async function expectKept(store: StateStore, approval: Approval, kept: readonly Approval[]): Promise<void> {
  const [{ id }, ids] = [approval.principal, approval.orderIds.join(' ')];
  expectSame(await store.approve(approval), kept, `what "${id}" is answered for [${ids}]`);
}

export const approvalClauses: readonly StateStoreClause[] = [
  clause(
    'approve keeps approvals and returns all of the same orders, oldest first (I9)',
    async ({ store }) => {
      const [c, a, b] = ['c', 'a', 'b'].map((id, n) => approvalOf(id, ['1', '2'], epoch - n));
      const [first, second, third] = [c, a, b] as [Approval, Approval, Approval];
      await expectKept(store, first, [first]);
      await expectKept(store, second, [first, second]);
      await expectKept(store, third, [first, second, third]);
    },
  ),

  clause('a principal approves the same orders once, with its first word (I9)', async ({ store }) => {
    const first = approvalOf('ada', ['1']);
    const other = approvalOf('grace', ['1'], epoch + 1);
    await expectKept(store, first, [first]);
    await expectKept(store, { ...approvalOf('ada', ['1'], epoch + 2), reason: 'again' }, [first]);
    await expectKept(store, other, [first, other]);
    await expectKept(store, approvalOf('ada', ['1'], epoch + 3), [first, other]);
  }),

  clause(
    'one id is one principal, of whatever kind: it approves the same orders once (I9)',
    async ({ store }) => {
      const first = approvalOf('ada', ['1']);
      await expectKept(store, first, [first]);
      for (const kind of ['service', 'agent'] as const) {
        const other = { ...approvalOf('ada', ['1'], epoch + 1), principal: { id: 'ada', kind } };
        await expectKept(store, other, [first]);
      }
    },
  ),

  clause('approvals of other orders count on their own (I9)', async ({ store }) => {
    for (const orderIds of [['1'], ['1', '2'], ['2'], ['1:2'], ['12'], ['1', '2', '3']]) {
      const approval = approvalOf('ada', orderIds);
      await expectKept(store, approval, [approval]);
    }
    const more = approvalOf('grace', ['1', '2']);
    await expectKept(store, more, [approvalOf('ada', ['1', '2']), more]);
  }),

  clause(
    'of one principal’s racing approvals of the same orders, one is kept (I9)',
    async ({ store, second }) => {
      const racers = Array.from({ length: 20 }, (_, n) =>
        (n % 2 === 0 ? store : second).approve(approvalOf('ada', ['1'], epoch + n)),
      );
      const answers = await Promise.all(racers);
      for (const kept of answers) expectSame(kept, answers[0], 'what every racer is answered');
      expectThat(answers[0]?.length === 1, `one approval is kept, not ${answers[0]?.length}`);
    },
  ),

  clause(
    'release drops every approval that names one of its orders, and no other (I9)',
    async ({ store }) => {
      for (const orderId of ['1', '2', '3']) {
        await store.placeOrder(orderOf(orderId, { workspace: `w${orderId}` }, 'on-release'));
      }
      for (const orderIds of [['1'], ['1', '2'], ['2', '3'], ['3']]) {
        await store.approve(approvalOf('ada', orderIds));
      }
      await store.release(['1', 'nowhere']);
      const grace = (orderIds: readonly string[]) => approvalOf('grace', orderIds, epoch + 9);
      for (const dropped of [['1'], ['1', '2']]) await expectKept(store, grace(dropped), [grace(dropped)]);
      for (const kept of [['2', '3'], ['3']]) {
        await expectKept(store, grace(kept), [approvalOf('ada', kept), grace(kept)]);
      }
    },
  ),

  clause('release drops approvals also where no gate stands any more', async ({ store }) => {
    await store.approve(approvalOf('ada', ['gone']));
    await store.release(['gone']);
    const later = approvalOf('grace', ['gone']);
    await expectKept(store, later, [later]);
  }),

  clause(
    'approvals are there after a restart (I9)',
    async ({ store, reopen }) => {
      const [first, second] = [approvalOf('ada', ['1']), approvalOf('grace', ['1'])];
      await store.approve(first);
      await expectKept(await reopen(), second, [first, second]);
    },
    'reopen',
  ),
];
