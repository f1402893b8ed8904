import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef } from 'react';
import { api, given } from '../../api/client';
import type { AlarmRow } from '../../api/schema';
import { useNotices } from '../../live/live';

export type { AlarmRow };
export type Rows = ReadonlyMap<number, AlarmRow>;

const NOTHING: Rows = new Map();
export const ROWS = ['alarm-rows'] as const;
const PAGE_ROWS = 500;
const ASKED_AT_ONCE = 100;
/** Changes are gathered for so long, and then asked for in one request: a flood is a few requests, not one per alarm. */
const GATHER_MS = 150;

async function everyRow(): Promise<Rows> {
  const found = new Map<number, AlarmRow>();
  let after: string | null = null;
  do {
    const query: { limit: number; after?: string } =
      after === null ? { limit: PAGE_ROWS } : { limit: PAGE_ROWS, after };
    const page: { readonly items: readonly AlarmRow[]; readonly next: string | null } = await given(
      api.GET('/api/v1/alarm-rows', { params: { query } }),
    );
    for (const row of page.items) found.set(row.alarm.id, row);
    after = page.next;
  } while (after !== null);
  return found;
}

async function rowsOf(ids: readonly number[]): Promise<readonly AlarmRow[]> {
  const page = await given(
    api.GET('/api/v1/alarm-rows', { params: { query: { id: [...ids], limit: ASKED_AT_ONCE } } }),
  );
  return page.items;
}

/** What is known with what came: newer versions win, what has ended goes, and nothing comes back from the dead. */
export function merged(known: Rows, came: readonly AlarmRow[]): Rows {
  const rows = new Map(known);
  for (const row of came) {
    const { id, version, ended_at } = row.alarm;
    if ((rows.get(id)?.alarm.version ?? -1) > version) continue;
    if (ended_at === null) rows.set(id, row);
    else rows.delete(id);
  }
  return rows;
}

/** Every open alarm, kept true by the live stream. `refresh` asks for some of them anew at once, and
 * `latest` is what is known then, before the page is drawn with it. */
export function useAlarmRows() {
  const queries = useQueryClient();
  const asked = useQuery({ queryKey: ROWS, queryFn: everyRow, structuralSharing: false });
  const waiting = useRef(new Set<number>());
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);

  const refresh = useCallback(
    async (ids: readonly number[]) => {
      for (let start = 0; start < ids.length; start += ASKED_AT_ONCE) {
        const came = await rowsOf(ids.slice(start, start + ASKED_AT_ONCE));
        queries.setQueryData<Rows>(ROWS, known => (known === undefined ? known : merged(known, came)));
      }
    },
    [queries],
  );
  const gather = useCallback(
    (ids: Iterable<number>) => {
      for (const id of ids) waiting.current.add(id);
      timer.current ??= setTimeout(() => {
        timer.current = null;
        const ids = [...waiting.current];
        waiting.current.clear();
        // A request that fails is made up for: the stream breaks as well, and everything is loaded anew.
        refresh(ids).catch(() => queries.invalidateQueries({ queryKey: ROWS }));
      }, GATHER_MS);
    },
    [queries, refresh],
  );
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
    },
    [],
  );
  useNotices(['alarm', 'work_order'], notice => {
    if (notice.kind === 'alarm') return gather([notice.subject]);
    const rows = queries.getQueryData<Rows>(ROWS);
    const ids = [...(rows?.values() ?? [])]
      .filter(row => row.alarm.work_orders.includes(notice.subject))
      .map(row => row.alarm.id);
    return ids.length > 0 ? gather(ids) : undefined;
  });
  const latest = useCallback(() => queries.getQueryData<Rows>(ROWS) ?? NOTHING, [queries]);
  return { rows: asked.data, error: asked.error, refresh, latest };
}
