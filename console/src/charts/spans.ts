export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

export type Span = { readonly from_ms: number; readonly until_ms: number };

/** What a person picks; the last stands for a year. */
export const SPANS = {
  hour: HOUR_MS,
  six_hours: 6 * HOUR_MS,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 30 * DAY_MS,
  year: 365 * DAY_MS,
} as const;
export type SpanName = keyof typeof SPANS;

/** How coarse the figures of a span are; null: each reading. More points than pixels help nobody. */
export function bucketOf({ from_ms, until_ms }: Span): string | null {
  const length_ms = until_ms - from_ms;
  if (length_ms <= 3 * HOUR_MS) return null;
  if (length_ms <= 12 * HOUR_MS) return '1m';
  if (length_ms <= 2 * DAY_MS) return '5m';
  if (length_ms <= 45 * DAY_MS) return '1h';
  return '1d';
}

const UNITS_S = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

export function seconds(bucket: string): number {
  return Number(bucket.slice(0, -1)) * UNITS_S[bucket.slice(-1) as keyof typeof UNITS_S];
}
