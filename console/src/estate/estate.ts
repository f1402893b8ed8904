import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { api, given } from '../api/client';
import type { AlarmOut, FacilityOut, LocationOut, SiteOut } from '../api/schema';
import { useLiveQueries } from '../live/live';
import { grouped } from './grouped';

const PAGE = 500;
/** 10,000 facilities or alarms: what one screen can still mean something about. Beyond it the screen says so. */
const PAGES_MAX = 20;

export type Gathered<T> = { readonly items: readonly T[]; readonly complete: boolean };

async function gathered<T>(
  page: (after: string | undefined) => Promise<{ readonly items: readonly T[]; readonly next: string | null }>,
): Promise<Gathered<T>> {
  const items: T[] = [];
  let after: string | undefined;
  for (let read = 0; read < PAGES_MAX; read++) {
    const found = await page(after);
    items.push(...found.items);
    if (found.next === null) return { items, complete: true };
    after = found.next;
  }
  return { items, complete: false };
}

export type SiteWithPlaces = { readonly site: SiteOut; readonly places: readonly LocationOut[] };

/** Sites in scope with their tree of places. */
export function useSites() {
  return useQuery({
    queryKey: ['estate', 'sites'],
    queryFn: async (): Promise<readonly SiteWithPlaces[]> => {
      const sites = (await given(api.GET('/api/v1/sites'))).items;
      return Promise.all(
        sites.map(async site => ({
          site,
          places: (await given(api.GET('/api/v1/sites/{site}/locations', { params: { path: { site: site.key } } })))
            .items,
        })),
      );
    },
    staleTime: 300_000,
    refetchInterval: 600_000,
  });
}

/** Every facility in scope, without values; gateways come and go, so it is asked for again every half minute. */
export function useFacilities() {
  return useQuery({
    queryKey: ['estate', 'facilities'],
    queryFn: () =>
      gathered<FacilityOut>(after =>
        given(api.GET('/api/v1/facilities', { params: { query: { limit: PAGE, ...(after && { after }) } } })),
      ),
    refetchInterval: 30_000,
  });
}

/** Those of one site, for who opens it in the tree. */
export function facilitiesOf(site: string): Promise<Gathered<FacilityOut>> {
  return gathered<FacilityOut>(after =>
    given(api.GET('/api/v1/facilities', { params: { query: { site, limit: PAGE, ...(after && { after }) } } })),
  );
}

/** Every open alarm in scope, kept true by the stream. */
export function useOpenAlarms() {
  useLiveQueries(['alarm'], ['estate', 'alarms']);
  return useQuery({
    queryKey: ['estate', 'alarms'],
    queryFn: () =>
      gathered<AlarmOut>(after =>
        given(api.GET('/api/v1/alarms', { params: { query: { open: true, limit: PAGE, ...(after && { after }) } } })),
      ),
    refetchInterval: 60_000,
  });
}

export const keyOf = (facility: { readonly site: string; readonly key: string }) => `${facility.site}/${facility.key}`;

/** Open alarms by the facility they are at, as `keyOf` names it. */
export function useAlarmsByFacility(alarms: readonly AlarmOut[] | undefined) {
  return useMemo(() => grouped(alarms ?? [], alarm => keyOf(alarm.facility)), [alarms]);
}
