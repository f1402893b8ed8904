/** What the calendar wrote into the journal when it raised an alarm: pieces or papers that end, or rounds nobody walked. */
import type { AlarmDetail } from '../../api/schema';

export type Piece = {
  readonly part: string | null;
  readonly maker: string;
  readonly model: string;
  readonly ends_on: string;
  /** What ends: its life, or the time until it is serviced; older entries say nothing of it. */
  readonly interval?: 'life' | 'service';
};
export type Paper = {
  readonly kind: string;
  readonly number: string;
  readonly ends_on: string;
};
export type Plan = {
  readonly plan: string;
  readonly from: string;
  readonly until: string;
  readonly state: string;
  readonly stops: number;
  readonly visited: number;
};
export type AskedFor = {
  readonly at: string; // when it was so
  readonly pieces: readonly Piece[];
  readonly papers: readonly Paper[];
  readonly more: number; // pieces or papers of the facility
  readonly more_facilities: number;
  readonly plans: readonly Plan[];
};

type Entry = Pick<AlarmDetail['journal'][number], 'seq' | 'at' | 'detail'>;

const isPiece = (one: unknown): one is Piece => has(one, ['maker', 'model', 'ends_on'], 'string');
const isPaper = (one: unknown): one is Paper => has(one, ['kind', 'number', 'ends_on'], 'string');
const isPlan = (one: unknown): one is Plan =>
  has(one, ['plan', 'from', 'until', 'state'], 'string') && has(one, ['stops', 'visited'], 'number');

/** Of the newest entry that says any; null: the alarm is of no calendar. */
export function askedFor(journal: readonly Entry[]): AskedFor | null {
  const newest = [...journal].sort((one, other) => other.seq - one.seq);
  for (const { at, detail } of newest) {
    const pieces = listed(detail.pieces).filter(isPiece);
    const papers = listed(detail.certificates).filter(isPaper);
    const plans = listed(detail.plans).filter(isPlan);
    if (pieces.length + papers.length + plans.length > 0)
      return {
        at,
        pieces,
        papers,
        plans,
        more: count(detail.more_pieces) + count(detail.more_certificates),
        more_facilities: count(detail.more_facilities),
      };
  }
  return null;
}

const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const count = (value: unknown) => (typeof value === 'number' ? value : 0);

function has(one: unknown, names: readonly string[], type: 'string' | 'number'): boolean {
  return typeof one === 'object' && one !== null && names.every(name => typeof Reflect.get(one, name) === type);
}
