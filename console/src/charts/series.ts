import type { ReadingsOut, Value } from '../api/schema';
import { seconds } from './spans';

/** Times in seconds with what stood then; null: nothing is known from here to the next. `low` and `high` of a span. */
export type Line = {
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
  readonly low: readonly (number | null)[] | null;
  readonly high: readonly (number | null)[] | null;
};

type Dot = {
  readonly at_s: number;
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
};

/** Silence of three intervals is a gap, as the service counts it; what speaks on change has none. */
const SILENT_INTERVALS = 3;

function numeric(value: Value['value']): number | null {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'number' ? value : null;
}

function dots(answer: ReadingsOut): Dot[] {
  if (answer.buckets !== null)
    return answer.buckets.map(each => ({
      at_s: Date.parse(each.ts) / 1_000,
      value: answer.kind === 'measure' ? each.mean : each.last,
      low: each.min,
      high: each.max,
    }));
  return (answer.readings ?? []).map(each => {
    const value = each.quality === 'good' ? numeric(each.value) : null;
    return { at_s: Date.parse(each.ts) / 1_000, value, low: null, high: null };
  });
}

/** What was not measured is not drawn: a gap is a null where it begins. */
export function line(answer: ReadingsOut, interval_s: number | null): Line {
  const found = dots(answer);
  const spans = answer.bucket === null ? null : seconds(answer.bucket);
  const silent_s =
    spans !== null ? spans * 1.5 : interval_s === null ? Number.POSITIVE_INFINITY : interval_s * SILENT_INTERVALS;
  const whole: Dot[] = [];
  for (const dot of found) {
    const before = whole.at(-1);
    if (before && dot.at_s - before.at_s > silent_s)
      whole.push({ at_s: before.at_s + (spans ?? interval_s ?? 1), value: null, low: null, high: null });
    whole.push(dot);
  }
  const banded = spans !== null && answer.kind === 'measure';
  return {
    times: whole.map(each => each.at_s),
    values: whole.map(each => each.value),
    low: banded ? whole.map(each => each.low) : null,
    high: banded ? whole.map(each => each.high) : null,
  };
}

export type Extent = { readonly min: number; readonly max: number };

/** From where to where an axis goes: all values, and each limit that is not far off; others would flatten the line. */
export function extent(values: Extent, limits: readonly number[]): Extent {
  const size = Math.max(values.max - values.min, Math.abs(values.max) * 0.1, 1e-6);
  const near = limits.filter(limit => limit > values.min - 2 * size && limit < values.max + 2 * size);
  const [min, max] = [Math.min(values.min, ...near), Math.max(values.max, ...near)];
  const margin = Math.max(max - min, 1e-6) * 0.06;
  return { min: min - margin, max: max + margin };
}
