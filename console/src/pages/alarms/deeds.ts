import { api, deedKey, given } from '../../api/client';
import { Failed } from '../../api/problem';
import type { Right } from '../../session/me';
import type { AlarmRow } from './rows';

/** What a person can do to an alarm here. */
export type DeedKind = 'acknowledge' | 'shelve' | 'out_of_service' | 'reset' | 'assign' | 'comment';

export type Deed =
  | { readonly kind: 'acknowledge' | 'reset'; readonly note?: string }
  | { readonly kind: 'shelve'; readonly minutes: number; readonly oneShot: boolean; readonly note: string }
  | { readonly kind: 'out_of_service' | 'comment'; readonly note: string }
  | { readonly kind: 'assign'; readonly assignee: string; readonly note?: string };

/** What became of one alarm of those a deed was done to. */
export type Outcome =
  | { readonly id: number; readonly kind: 'done' }
  | { readonly id: number; readonly kind: 'failed'; readonly error: unknown };

export const DEEDS: readonly DeedKind[] = ['acknowledge', 'shelve', 'out_of_service', 'reset', 'assign', 'comment'];
export const RIGHT_FOR: Readonly<Record<DeedKind, Right>> = {
  acknowledge: 'acknowledge',
  shelve: 'shelve',
  out_of_service: 'out_of_service',
  reset: 'reset',
  assign: 'assign',
  comment: 'comment',
};
const MOVE_FOR = {
  acknowledge: 'acknowledge',
  shelve: 'shelve',
  out_of_service: 'remove_from_service',
  reset: 'reset',
} as const;
const ASSIGNABLE = new Set(['opened', 'dispatched', 'accepted']);
const AT_ONCE = 4;

export function orderToAssign(row: AlarmRow): number | null {
  return row.orders.find(each => ASSIGNABLE.has(each.state))?.id ?? null;
}

/** Whether the state of the alarm lets it be done now, whoever asks. */
export function isPossible(kind: DeedKind, row: AlarmRow): boolean {
  if (row.alarm.ended_at !== null) return false;
  if (kind === 'comment') return true;
  if (kind === 'assign') return orderToAssign(row) !== null;
  return row.legal_moves.includes(MOVE_FOR[kind]) && (kind !== 'shelve' || row.shelving !== null);
}

async function perform(deed: Deed, row: AlarmRow, now_ms: number, key: string): Promise<void> {
  const headers = { 'Idempotency-Key': key };
  const params = { path: { alarm: row.alarm.id } };
  const note = deed.note?.trim() || null;
  switch (deed.kind) {
    case 'acknowledge':
      await given(api.POST('/api/v1/alarms/{alarm}/acknowledge', { params, headers, body: { note } }));
      return;
    case 'reset':
      await given(api.POST('/api/v1/alarms/{alarm}/reset', { params, headers, body: { note } }));
      return;
    case 'shelve': {
      const until = new Date(now_ms + deed.minutes * 60_000).toISOString();
      const body = { until, one_shot: deed.oneShot, note };
      await given(api.POST('/api/v1/alarms/{alarm}/shelve', { params, headers, body }));
      return;
    }
    case 'out_of_service':
      await given(
        api.POST('/api/v1/alarms/{alarm}/remove-from-service', { params, headers, body: { note: deed.note } }),
      );
      return;
    case 'comment':
      await given(api.POST('/api/v1/alarms/{alarm}/notes', { params, headers, body: { text: deed.note } }));
      return;
    case 'assign': {
      const order = orderToAssign(row);
      if (order === null) throw new Failed(null, null);
      const path = { order };
      await given(
        api.POST('/api/v1/work-orders/{order}/dispatch', {
          params: { path },
          headers,
          body: { assignee: deed.assignee, note },
        }),
      );
    }
  }
}

/** One attempt at a deed on some alarms. Tried again with the same `keys`, what was done already is not done twice. */
export class Attempt {
  readonly #keys = new Map<number, string>();
  readonly #done = new Set<number>();

  constructor(
    readonly deed: Deed,
    readonly rows: readonly AlarmRow[],
    /** The service's time when it was asked for: an attempt again asks for the very same. */
    readonly asked_ms: number,
  ) {}

  async run(tell: (outcome: Outcome) => void = () => {}): Promise<readonly Outcome[]> {
    const waiting = this.rows.filter(row => !this.#done.has(row.alarm.id));
    const outcomes = new Map<number, Outcome>();
    const worker = async () => {
      for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
        const outcome = await this.#one(row);
        outcomes.set(row.alarm.id, outcome);
        tell(outcome);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return this.rows.map(row => outcomes.get(row.alarm.id) ?? { id: row.alarm.id, kind: 'done' });
  }

  async #one(row: AlarmRow): Promise<Outcome> {
    const { id } = row.alarm;
    const key = this.#keys.get(id) ?? deedKey();
    this.#keys.set(id, key);
    try {
      await perform(this.deed, row, this.asked_ms, key);
      this.#done.add(id);
      return { id, kind: 'done' };
    } catch (error) {
      return { id, kind: 'failed', error };
    }
  }
}

const INVERSE = { shelve: 'unshelve', out_of_service: 'return-to-service' } as const;
export type Undoable = keyof typeof INVERSE;

export function isUndoable(kind: DeedKind): kind is Undoable {
  return kind in INVERSE;
}

/** What brings it back; acknowledging has nothing of the kind. */
export async function undo(kind: Undoable, id: number): Promise<void> {
  await given(
    api.POST(`/api/v1/alarms/{alarm}/${INVERSE[kind]}`, {
      params: { path: { alarm: id } },
      headers: { 'Idempotency-Key': deedKey() },
      body: { note: null },
    }),
  );
}
