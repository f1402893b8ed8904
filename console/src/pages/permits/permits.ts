/** Work permits as the page reads them, and in what order a person has to see them. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { api, given } from '../../api/client';
import type { PermitOut } from '../../api/schema';
import { useLiveQueries } from '../../live/live';

export type Permit = PermitOut;

const PAGE = 200;
const KEY = ['permits'] as const;

/** Those that overran and nobody has spoken for, the longest overrun first; then those in force by their end; then those ahead. */
export function inOrder(permits: readonly Permit[]): readonly Permit[] {
  const rank = { overrun: 0, standing: 1, ahead: 2, handed_back: 3, settled: 3 } as const;
  const moment = (each: Permit) => Date.parse(each.state === 'ahead' ? each.valid_from : each.valid_until);
  return [...permits].sort((a, b) => rank[a.state] - rank[b.state] || moment(a) - moment(b) || a.id - b.id);
}

/**
 * What a permit is at this moment: one that stands past its end is overrun as soon as its time is over, also before the
 * service's clock has looked; one that was ahead stands once its time has come.
 */
export function stateAt(permit: Permit, now_ms: number): Permit['state'] {
  if (permit.state === 'ahead' || permit.state === 'standing') {
    if (now_ms >= Date.parse(permit.valid_until)) return 'overrun';
    return now_ms >= Date.parse(permit.valid_from) ? 'standing' : 'ahead';
  }
  return permit.state;
}

async function current(site: string | null, signal: AbortSignal): Promise<readonly Permit[]> {
  const query = { limit: PAGE, ...(site === null ? {} : { site }) };
  const [standing, unsettled] = await Promise.all([
    given(api.GET('/api/v1/permits', { params: { query: { ...query, standing: true } }, signal })),
    given(api.GET('/api/v1/permits', { params: { query: { ...query, unsettled: true } }, signal })),
  ]);
  return [...new Map([...standing.items, ...unsettled.items].map(each => [each.id, each])).values()];
}

export function useCurrentPermits(site: string | null) {
  useLiveQueries(['permit'], KEY);
  return useQuery({ queryKey: [...KEY, 'current', site], queryFn: ({ signal }) => current(site, signal) });
}

/** Those that are over, newest first. */
export function usePastPermits(site: string | null, wanted: boolean) {
  return useInfiniteQuery({
    queryKey: [...KEY, 'past', site],
    enabled: wanted,
    queryFn: ({ pageParam, signal }) =>
      given(
        api.GET('/api/v1/permits', {
          params: {
            query: {
              standing: false,
              limit: 50,
              ...(site === null ? {} : { site }),
              ...(pageParam === null ? {} : { after: pageParam }),
            },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: page => page.next,
  });
}

export const PERMITS = KEY;
