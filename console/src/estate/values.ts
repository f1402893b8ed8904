import { useCallback } from 'react';
import type { Value } from '../api/schema';
import { useServiceWords } from '../words/vocabulary';
import { useWords } from '../words/words';

const FIGURES = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 4, useGrouping: false });
const WHOLE = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

/** Four figures are as much as a person reads; what counts up keeps all of them. */
export function figure(value: number): string {
  return Math.abs(value) >= 1_000 ? WHOLE.format(value) : FIGURES.format(value);
}

/** `pump_1.run` is `run`. */
export const bare = (point: string) => point.slice(point.lastIndexOf('.') + 1);

/** What a point said, in the reader's words: `0.4466`, `是`, `合闸`; a dash where it has said nothing. */
export function useSpokenValue() {
  const { t } = useWords();
  const { name } = useServiceWords();
  return useCallback(
    (point: string, value: Value['value']): string => {
      if (value === null) return '–';
      if (typeof value === 'boolean') return t(value ? 'value.yes' : 'value.no');
      if (typeof value === 'number') return figure(value);
      const own = `${bare(point)}.${value}`;
      const said = name('point_label', own);
      return said === own ? name('point_label', value) : said;
    },
    [t, name],
  );
}

/** Nobody may read it as if it were of now: silent too long, never said, or the sensor itself says it is broken. */
export const isDoubtful = (value: Value) => value.stale === true || value.ts === null || value.quality !== 'good';
