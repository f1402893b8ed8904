/** What was promised of an order and how it stands, as pure functions of the order and the time. */
import type { Event, Order } from './orders';

export const CLOCKS = ['accept_by', 'arrive_by', 'plan_by', 'restore_by'] as const;
export type Clock = (typeof CLOCKS)[number];

/** `met`: in time. `late`: done, after its time. `missed`: its time has passed and it is not done. `void`: not asked any more. */
export type Standing = 'running' | 'missed' | 'standing_still' | 'met' | 'late' | 'void';

export type ClockState = {
  readonly clock: Clock;
  readonly due_ms: number;
  readonly standing: Standing;
  /** Until due; negative: since. Of one that stands still what was left when the order was suspended. */
  readonly left_ms: number;
};

const METS: Readonly<Record<Clock, (order: Order) => string | null>> = {
  accept_by: order => order.accepted_at,
  arrive_by: order => order.arrived_at,
  plan_by: order => order.planned_at ?? order.resolved_at,
  restore_by: order => order.resolved_at,
};

export function clockStates(order: Order, now_ms: number): readonly ClockState[] {
  return CLOCKS.flatMap((clock): readonly ClockState[] => {
    const due = order.clocks[clock];
    if (due === null) return [];
    const due_ms = Date.parse(due);
    const met = METS[clock](order);
    if (met !== null) {
      const left_ms = due_ms - Date.parse(met);
      return [{ clock, due_ms, left_ms, standing: left_ms >= 0 ? 'met' : 'late' }];
    }
    if (order.resolved_at !== null || order.ended_at !== null) return [{ clock, due_ms, left_ms: 0, standing: 'void' }];
    if (order.suspended !== null) {
      const left_ms = due_ms - Date.parse(order.suspended.since);
      return [{ clock, due_ms, left_ms, standing: left_ms < 0 ? 'missed' : 'standing_still' }];
    }
    const left_ms = due_ms - now_ms;
    return [{ clock, due_ms, left_ms, standing: left_ms < 0 ? 'missed' : 'running' }];
  });
}

export type Pressing = ClockState & { readonly standing: 'running' | 'missed' | 'standing_still' };

function isPressing(clock: ClockState): clock is Pressing {
  return clock.standing === 'running' || clock.standing === 'missed' || clock.standing === 'standing_still';
}

/** The clock people have to look at: of those still asked for the one that is due first. */
export function pressing(order: Order, now_ms: number): Pressing | null {
  const asked = clockStates(order, now_ms).filter(isPressing);
  return asked.reduce<Pressing | null>(
    (first, each) => (first === null || each.due_ms < first.due_ms ? each : first),
    null,
  );
}

const RANKS: Readonly<Record<Order['priority'], number>> = { urgent: 0, high: 1, medium: 2, low: 3 };
const NEVER = Number.POSITIVE_INFINITY;

/** By the deadline that comes first, then by priority, then the older one. Does not depend on the time of day. */
export function byDeadline(a: Order, b: Order): number {
  const due = (order: Order) => (order.suspended === null ? (pressing(order, 0)?.due_ms ?? NEVER) : NEVER);
  const [first, second] = [due(a), due(b)];
  if (first !== second) return first < second ? -1 : 1;
  return RANKS[a.priority] - RANKS[b.priority] || a.opened_at.localeCompare(b.opened_at) || a.id - b.id;
}

/** The last thing a person did to it. */
export function lastDeed(journal: readonly Event[]): Event | null {
  return journal.findLast(each => each.actor !== 'rules' && each.actor !== 'clock' && each.move !== 'note') ?? null;
}
