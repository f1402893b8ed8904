import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { api, given } from '../api/client';
import { Failed } from '../api/problem';

const SETTLE_MS = 800;

async function read(key: string): Promise<unknown> {
  try {
    return (await given(api.GET('/api/v1/session/settings/{key}', { params: { path: { key } } }))).value;
  } catch (error) {
    if (error instanceof Failed && error.status === 404) return null;
    throw error;
  }
}

/**
 * Something a person chose and finds again on every screen: filters, columns. `initial` until it is known, and for what an
 * older console did not save. Saved when it has come to rest; that it could not be saved is no reason to stop working.
 */
export function useSaved<T extends object>(
  key: string,
  initial: T,
): readonly [T, (change: Partial<T>) => void, boolean] {
  const queries = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const asked = useQuery({
    queryKey: ['saved', key],
    queryFn: () => read(key),
    staleTime: Number.POSITIVE_INFINITY,
    meta: { standing: true },
  });
  const known = typeof asked.data === 'object' && asked.data !== null ? asked.data : {};
  // What is chosen here counts at once: the query tells of it a moment later, and a field would lose letters typed between.
  const [chosen, setChosen] = useState<T | null>(null);
  const value = chosen ?? ({ ...initial, ...known } as T);
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  });
  const change = useCallback(
    (changed: Partial<T>) => {
      const next = { ...latest.current, ...changed };
      latest.current = next;
      setChosen(next);
      queries.setQueryData(['saved', key], next);
      if (timer.current !== null) clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        given(api.PUT('/api/v1/session/settings/{key}', { params: { path: { key } }, body: { value: next } })).catch(
          () => undefined,
        );
      }, SETTLE_MS);
    },
    [queries, key],
  );
  return [value, change, asked.isSuccess || asked.isError];
}
