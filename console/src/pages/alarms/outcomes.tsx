import { App, Button } from 'antd';
import { useCallback } from 'react';
import { Failed, useExplained } from '../../api/problem';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useWords } from '../../words/words';
import { type Deed, isUndoable, type Outcome, type Undoable, undo } from './deeds';
import type { AlarmRow, Rows } from './rows';

const UNDO_S = 10;
const SHOWN_MAX = 8;

/** Says what became of a deed, for each alarm that it did not become of; offers to take it back where that is possible. */
export function useOutcomes(refresh: (ids: readonly number[]) => Promise<void>, latest: () => Rows) {
  const { t, of, language } = useWords();
  const explained = useExplained();
  const now_ms = useNow_ms();
  const { notification } = App.useApp();

  /** Refused because somebody was first: who that was, and when. */
  const whoWasFirst = useCallback(
    (row: AlarmRow, error: unknown): string => {
      const { acknowledged_by: who, acknowledged_at: at } = latest().get(row.alarm.id)?.alarm ?? row.alarm;
      const first = error instanceof Failed && error.kind === 'illegal_move' && who !== null && at !== null;
      return first ? t('outcome.was_first', { who, at: moment(language, at, now_ms) }) : explained(error);
    },
    [latest, t, language, now_ms, explained],
  );

  const takeBack = useCallback(
    async (kind: Undoable, ids: readonly number[]) => {
      const results = await Promise.allSettled(ids.map(id => undo(kind, id)));
      await refresh(ids).catch(() => undefined);
      const failed = results.find(each => each.status === 'rejected');
      if (failed?.status === 'rejected')
        notification.error({ title: t('outcome.not_undone'), description: explained(failed.reason), role: 'alert' });
      else notification.success({ title: t('outcome.undone', { n: ids.length }), role: 'status', duration: 3 });
    },
    [refresh, notification, t, explained],
  );

  return useCallback(
    async (deed: Deed, rows: readonly AlarmRow[], outcomes: readonly Outcome[]) => {
      const ids = rows.map(row => row.alarm.id);
      await refresh(ids).catch(() => undefined);
      const failed = outcomes.filter(each => each.kind === 'failed');
      const done = outcomes.filter(each => each.kind === 'done').map(each => each.id);
      if (done.length > 0) {
        const key = `done-${Date.now()}`;
        const { kind } = deed;
        notification.success({
          key,
          role: 'status',
          title: t('outcome.done', { deed: t(`deed.${kind}`), n: done.length }),
          duration: isUndoable(kind) ? UNDO_S : 3,
          showProgress: isUndoable(kind),
          pauseOnHover: false,
          actions: isUndoable(kind) && (
            <Button
              size="small"
              onClick={() => {
                notification.destroy(key);
                void takeBack(kind, done);
              }}
            >
              {t('outcome.undo')}
            </Button>
          ),
        });
      }
      if (failed.length === 0) return;
      const byId = new Map(rows.map(row => [row.alarm.id, row]));
      notification.error({
        role: 'alert',
        duration: failed.length > 1 ? 0 : 12,
        title: t('outcome.failed', { deed: t(`deed.${deed.kind}`), n: failed.length }),
        description: (
          <ul className="outcomes">
            {failed.slice(0, SHOWN_MAX).map(each => {
              const row = byId.get(each.id);
              return row === undefined ? null : (
                <li key={each.id}>
                  {of(row.alarm.title)} · {of(row.alarm.facility.name)}
                  <br />
                  {whoWasFirst(row, each.error)}
                </li>
              );
            })}
            {failed.length > SHOWN_MAX && <li>{t('outcome.more', { n: failed.length - SHOWN_MAX })}</li>}
          </ul>
        ),
      });
    },
    [refresh, notification, t, of, takeBack, whoWasFirst],
  );
}
