import { useQuery } from '@tanstack/react-query';
import { api, given } from '../api/client';
import { useLiveQueries } from '../live/live';

/** Values come every few seconds; the stream tells of alarms only. */
export const VALUES_EVERY_MS = 5_000;

export type Where = { readonly site: string; readonly facility: string };

export function useFacility({ site, facility }: Where) {
  return useQuery({
    queryKey: ['facility', site, facility, 'now'],
    queryFn: () => given(api.GET('/api/v1/facilities/{site}/{facility}', { params: { path: { site, facility } } })),
    refetchInterval: VALUES_EVERY_MS,
    staleTime: 0,
  });
}

export function useRules({ site, facility }: Where) {
  return useQuery({
    queryKey: ['facility', site, facility, 'rules'],
    queryFn: () =>
      given(api.GET('/api/v1/facilities/{site}/{facility}/rules', { params: { path: { site, facility } } })),
    refetchInterval: 60_000,
  });
}

export function useGrade({ site, facility }: Where) {
  return useQuery({
    queryKey: ['facility', site, facility, 'grade'],
    queryFn: () =>
      given(api.GET('/api/v1/facilities/{site}/{facility}/grade', { params: { path: { site, facility } } })),
  });
}

/** Open alarms of a site as lists show them, with the point each rests on. */
export function useAlarmRows(site: string) {
  useLiveQueries(['alarm', 'work_order'], ['facility', site, 'alarms']);
  return useQuery({
    queryKey: ['facility', site, 'alarms'],
    queryFn: async () =>
      (await given(api.GET('/api/v1/alarm-rows', { params: { query: { site, limit: 500 } } }))).items,
    refetchInterval: 60_000,
  });
}

export function useOpenOrders({ site, facility }: Where) {
  useLiveQueries(['work_order'], ['facility', site, facility, 'orders']);
  return useQuery({
    queryKey: ['facility', site, facility, 'orders'],
    queryFn: async () =>
      (await given(api.GET('/api/v1/work-orders', { params: { query: { site, facility, open: true, limit: 100 } } })))
        .items,
    refetchInterval: 60_000,
  });
}
