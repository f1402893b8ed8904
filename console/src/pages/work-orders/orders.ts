/** Work orders as the pages read them: the open ones whole, the ended ones a page at a time, one with its journal. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { api, given } from '../../api/client';
import type { WorkOrderDetail, WorkOrderEventOut, WorkOrderOut } from '../../api/schema';
import { useLiveQueries, useNotices } from '../../live/live';

export type Order = WorkOrderOut;
export type Event = WorkOrderEventOut;
export type Detail = WorkOrderDetail;
export type State = Order['state'];
export type Move = Order['legal_moves'][number];

export type Scanned = 'arrival' | 'witness';

/** Entries that say who was at the facility. */
export const isOfPresence = (event: Event) => event.move === 'arrive' || event.move === 'witness';

export const PRIORITIES = ['urgent', 'high', 'medium', 'low'] as const;
export const OPEN_STATES = [
  'opened',
  'dispatched',
  'accepted',
  'arrived',
  'planned',
  'suspended',
  'resolved',
  'verified',
] as const satisfies readonly State[];
export const ENDED_STATES = ['closed', 'cancelled'] as const satisfies readonly State[];

/** What an open order waits for: to be given to somebody, to be taken, to be done, to go on, to be verified, to be filed. */
export const LANES = [
  { lane: 'opened', states: ['opened'] },
  { lane: 'dispatched', states: ['dispatched'] },
  { lane: 'in_hand', states: ['accepted', 'arrived', 'planned'] },
  { lane: 'suspended', states: ['suspended'] },
  { lane: 'resolved', states: ['resolved'] },
  { lane: 'verified', states: ['verified'] },
] as const satisfies readonly { lane: string; states: readonly State[] }[];

export function laneOf(state: State): string {
  return LANES.find(each => (each.states as readonly State[]).includes(state))?.lane ?? state;
}

/** More open orders than this are no list that anybody works through: the page says so and asks for a filter. */
export const OPEN_MAX = 1_000;
const PAGE = 500;
const JOURNAL_MAX = 5_000;

const KEY = ['work-orders'] as const;

export type OpenOrders = { readonly orders: readonly Order[]; readonly more: boolean };

async function everyOpen(site: string | undefined, signal: AbortSignal): Promise<OpenOrders> {
  const orders: Order[] = [];
  let after: string | null = null;
  do {
    const query = { open: true, limit: PAGE, ...(site ? { site } : {}), ...(after ? { after } : {}) };
    const page: { items: readonly Order[]; next: string | null } = await given(
      api.GET('/api/v1/work-orders', { params: { query }, signal }),
    );
    orders.push(...page.items);
    after = page.next;
  } while (after !== null && orders.length < OPEN_MAX);
  return { orders, more: after !== null };
}

/** Kept true by the live stream. */
export function useOpenOrders(site: string | undefined) {
  useLiveQueries(['work_order'], [...KEY, 'open']);
  return useQuery({
    queryKey: [...KEY, 'open', site ?? null],
    queryFn: ({ signal }) => everyOpen(site, signal),
  });
}

export function useEndedOrders(site: string | undefined, state: readonly State[]) {
  return useInfiniteQuery({
    queryKey: [...KEY, 'ended', site ?? null, state],
    queryFn: ({ pageParam, signal }) => {
      const query = {
        state: [...state],
        limit: 50,
        ...(site ? { site } : {}),
        ...(pageParam ? { after: pageParam } : {}),
      };
      return given(api.GET('/api/v1/work-orders', { params: { query }, signal }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: page => page.next,
  });
}

export const orderKey = (id: number) => [...KEY, 'one', id] as const;

export function useOrder(id: number) {
  const asked = useQuery({
    queryKey: orderKey(id),
    queryFn: ({ signal }) => given(api.GET('/api/v1/work-orders/{order}', { params: { path: { order: id } }, signal })),
    enabled: Number.isSafeInteger(id) && id > 0,
  });
  useNotices(['work_order'], notice => {
    if (notice.subject === id) void asked.refetch();
  });
  return asked;
}

/** Of a very long journal the part that did not come with the order, oldest first. */
export async function earlier(id: number, before: number): Promise<readonly Event[]> {
  const found: Event[] = [];
  let after: string | null = null;
  do {
    const page: { items: readonly Event[]; next: string | null } = await given(
      api.GET('/api/v1/work-orders/{order}/journal', {
        params: { path: { order: id }, query: { limit: PAGE, ...(after ? { after } : {}) } },
      }),
    );
    found.push(...page.items.filter(each => each.seq < before));
    after = page.next;
  } while (after !== null && found.length < JOURNAL_MAX);
  return found.reverse();
}
