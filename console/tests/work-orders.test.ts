import { expect, test } from 'vitest';
import { inOrder, type Permit, stateAt } from '../src/pages/permits/permits';
import { byDeadline, clockStates, lastDeed, pressing } from '../src/pages/work-orders/clocks';
import { matches, read, written } from '../src/pages/work-orders/filters';
import { nextStep, offered } from '../src/pages/work-orders/moves';
import type { Event, Order } from '../src/pages/work-orders/orders';
import { steadied } from '../src/pages/work-orders/steady';
import { fromLocal, toLocal } from '../src/time/local';

const NOON = Date.parse('2026-03-01T12:00:00Z');
const at = (minute: number) => new Date(NOON + minute * 60_000).toISOString();

function order(changed: Partial<Order> = {}): Order {
  return {
    id: 1,
    facility: { site: 'garden', key: 'booster', name: { zh: '一号泵组', en: 'Booster 1' }, grade: 'A' },
    work_class: 'water_supply',
    title: { zh: '出水压力低', en: 'Outlet pressure low' },
    severity: 'warning',
    priority: 'medium',
    state: 'dispatched',
    suspended: null,
    opened_at: at(0),
    opened_by: 'rules',
    open_reason: { key: 'at_once', zh: '立即开单', en: 'at once' },
    assignee: null,
    clocks: { accept_by: at(15), arrive_by: at(30), plan_by: null, restore_by: at(240) },
    accepted_at: null,
    arrived_at: null,
    planned_at: null,
    resolved_at: null,
    ended_at: null,
    alarms: [],
    legal_moves: ['dispatch', 'accept', 'suspend', 'cancel'],
    ...changed,
  };
}

const standings = (one: Order, minute: number) =>
  clockStates(one, NOON + minute * 60_000).map(each => `${each.clock} ${each.standing}`);

test('a clock runs until it is met, and is missed when its time has passed', () => {
  expect(standings(order(), 10)).toEqual(['accept_by running', 'arrive_by running', 'restore_by running']);
  expect(standings(order(), 20)).toEqual(['accept_by missed', 'arrive_by running', 'restore_by running']);
  expect(standings(order({ accepted_at: at(12) }), 20)[0]).toBe('accept_by met');
  expect(standings(order({ accepted_at: at(17) }), 20)[0]).toBe('accept_by late');
});

test('clocks of a suspended order stand still with what was left', () => {
  const suspended = { since: at(20), state: 'accepted', why: '等备件' } as const;
  const clock = pressing(order({ state: 'suspended', accepted_at: at(12), suspended }), NOON + 90 * 60_000);
  expect(clock).toMatchObject({ clock: 'arrive_by', standing: 'standing_still', left_ms: 10 * 60_000 });
});

test('nothing presses once it is done; what was not asked for any more is no breach', () => {
  const done = order({ state: 'resolved', accepted_at: at(5), resolved_at: at(20) });
  expect(pressing(done, NOON + 300 * 60_000)).toBeNull();
  expect(standings(done, 300)).toEqual(['accept_by met', 'arrive_by void', 'restore_by met']);
});

test('the nearest deadline is first, then the higher priority; one that waits is last', () => {
  const late = order({ id: 1 });
  const urgent = order({ id: 2, priority: 'urgent' });
  const soon = order({ id: 3, clocks: { accept_by: at(5), arrive_by: null, plan_by: null, restore_by: null } });
  const waits = order({ id: 4, suspended: { since: at(1), state: 'opened', why: '等' } });
  expect([waits, late, urgent, soon].sort(byDeadline).map(each => each.id)).toEqual([3, 2, 1, 4]);
});

test('only what is legal and within the rights is offered, the next step first', () => {
  expect(offered(order(), right => right === 'work')).toEqual(['accept']);
  expect(offered(order(), () => true)[0]).toBe('accept');
  expect(offered(order(), right => right === 'read')).toEqual([]);
  expect(nextStep(order({ state: 'planned' }))).toBe('arrive');
  expect(nextStep(order({ state: 'planned', arrived_at: at(9) }))).toBe('resolve');
});

test('the right is asked for at the site of the order', () => {
  expect(offered(order(), (_, site) => site === 'harbour')).toEqual([]);
});

test('rows under the hand stay; what is new waits, what is gone is marked', () => {
  const row = (id: number, column: string) => ({ row: { id, column }, column });
  const stood = [row(1, 'a'), row(2, 'a')];
  const { placed, waiting } = steadied(stood, [row(3, 'a'), row(2, 'b')]);
  expect(placed.map(each => [each.row.id, each.column, each.gone === true])).toEqual([
    [1, 'a', true],
    [2, 'a', false],
  ]);
  expect(placed[1]?.row.column).toBe('b');
  expect(waiting).toBe(1);
});

test('a list is the same list again from its address; what nobody knows is left out', () => {
  const filters = read(new URLSearchParams('view=list&mine&state=accepted,nonsense&priority=urgent&q=泵'));
  expect(filters).toEqual({
    view: 'list',
    mine: true,
    site: null,
    states: ['accepted'],
    priorities: ['urgent'],
    words: '泵',
  });
  expect(read(written(filters))).toEqual(filters);
  expect(matches(order({ assignee: '张师傅' }), { ...filters, states: [], priorities: [] }, '张师傅')).toBe(true);
  expect(matches(order({ assignee: '张师傅' }), { ...filters, states: [], priorities: [] }, '李工')).toBe(false);
});

test('who was first is the last person to have moved it, not a clock and not a note', () => {
  const event = (seq: number, actor: string, move: string) => ({ seq, actor, move }) as Event;
  const journal = [event(1, '李工', 'dispatch'), event(2, '张师傅', 'accept'), event(3, 'clock', 'breach')];
  expect(lastDeed([...journal, event(4, '王工', 'note')])?.actor).toBe('张师傅');
  expect(lastDeed([event(1, 'rules', 'open')])).toBeNull();
});

test('a permit is overrun as soon as its time is over, and overrun ones are on top', () => {
  const permit = (id: number, state: Permit['state'], from: number, until: number) =>
    ({ id, state, valid_from: at(from), valid_until: at(until) }) as Permit;
  expect(stateAt(permit(1, 'standing', 0, 60), NOON + 59 * 60_000)).toBe('standing');
  expect(stateAt(permit(1, 'standing', 0, 60), NOON + 60 * 60_000)).toBe('overrun');
  expect(stateAt(permit(1, 'ahead', 10, 60), NOON + 10 * 60_000)).toBe('standing');
  const all = [
    permit(1, 'ahead', 90, 99),
    permit(2, 'standing', 0, 60),
    permit(3, 'overrun', 0, 30),
    permit(4, 'standing', 0, 50),
  ];
  expect(inOrder(all).map(each => each.id)).toEqual([3, 4, 2, 1]);
});

test('a moment goes into a form and comes back to the minute; nonsense is none', () => {
  expect(Date.parse(fromLocal(toLocal(NOON)) ?? '')).toBe(NOON);
  expect(fromLocal('')).toBeNull();
  expect(fromLocal('gestern')).toBeNull();
});
