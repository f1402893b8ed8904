/** Every move of an order: whose right it is, what it asks for, and which one is the next step of an order's way. */
import type { Right } from '../../session/me';
import type { Move, Order, State } from './orders';

/** `none`: done at a touch. `remark`: may say something. `why`: has to. `assignee`: has to name somebody. */
export type Asks = 'none' | 'remark' | 'why' | 'assignee';

export const MOVES: Readonly<Record<Move, { readonly right: Right; readonly asks: Asks; readonly ends?: true }>> = {
  dispatch: { right: 'assign', asks: 'assignee' },
  accept: { right: 'work', asks: 'none' },
  arrive: { right: 'work', asks: 'none' },
  plan: { right: 'work', asks: 'why' },
  resolve: { right: 'work', asks: 'remark' },
  verify: { right: 'verify', asks: 'remark' },
  close: { right: 'verify', asks: 'remark' },
  reopen: { right: 'verify', asks: 'why' },
  suspend: { right: 'assign', asks: 'why' },
  resume: { right: 'assign', asks: 'none' },
  cancel: { right: 'assign', asks: 'why', ends: true },
};

const NEXT: Readonly<Partial<Record<State, Move>>> = {
  opened: 'dispatch',
  dispatched: 'accept',
  accepted: 'arrive',
  arrived: 'resolve',
  planned: 'resolve',
  suspended: 'resume',
  resolved: 'verify',
  verified: 'close',
};

/** What this person may do to it now, the next step first. */
export function offered(order: Order, can: (right: Right, site: string) => boolean): readonly Move[] {
  const legal = order.legal_moves.filter(move => can(MOVES[move].right, order.facility.site));
  const next = nextStep(order);
  return legal.filter(move => move === next).concat(legal.filter(move => move !== next));
}

/** The one step that leads on, whoever may do it. Planned work begins with being there. */
export function nextStep(order: Order): Move | null {
  if (order.state === 'planned' && order.arrived_at === null) return 'arrive';
  return NEXT[order.state] ?? null;
}
