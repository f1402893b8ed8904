import { useEffect, useRef, useState } from 'react';
import { api, given } from '../../api/client';
import type { TrendOut } from '../../api/schema';
import { useLiveState } from '../../live/live';

export type Day = {
  readonly trend: TrendOut | null;
  readonly begin_ms: number;
  readonly end_ms: number;
  readonly slot_ms: number;
};
export type Days = ReadonlyMap<number, Day>;

const AT_ONCE = 40;
const FRESH_MS = 30_000;
const SETTLE_MS = 200;

/**
 * The last day of the alarms in sight: asked for together, when the list has come to rest, and again every half minute.
 * Those that scrolled away are kept as they were.
 */
export function useTrends(inSight: readonly number[]): Days {
  const [days, setDays] = useState<Days>(new Map());
  const askedAt = useRef(new Map<number, number>());
  const { health } = useLiveState();
  const wanted = inSight.join(' ');

  useEffect(() => {
    if (health !== 'live') return;
    const ids = wanted === '' ? [] : wanted.split(' ').map(Number);
    const ask = async () => {
      const now = Date.now();
      const stale = ids.filter(id => now - (askedAt.current.get(id) ?? 0) >= FRESH_MS).slice(0, AT_ONCE);
      if (stale.length === 0) return;
      for (const id of stale) askedAt.current.set(id, now);
      try {
        const found = await given(api.GET('/api/v1/alarm-trends', { params: { query: { id: stale } } }));
        const span = {
          begin_ms: Date.parse(found.begin),
          end_ms: Date.parse(found.end),
          slot_ms: found.slot_s * 1_000,
        };
        const trends = new Map(found.items.map(each => [each.alarm, each]));
        setDays(
          known => new Map([...known, ...stale.map(id => [id, { trend: trends.get(id) ?? null, ...span }] as const)]),
        );
      } catch {
        for (const id of stale) askedAt.current.delete(id); // the next round asks again
      }
    };
    const settled = setTimeout(() => void ask(), SETTLE_MS);
    const again = setInterval(() => void ask(), FRESH_MS / 2);
    return () => {
      clearTimeout(settled);
      clearInterval(again);
    };
  }, [wanted, health]);
  return days;
}
