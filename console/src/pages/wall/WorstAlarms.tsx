import type { CSSProperties } from 'react';
import type { AlarmOut } from '../../api/schema';
import { GradeMark } from '../../drawn/GradeMark';
import { PriorityMark } from '../../drawn/PriorityMark';
import { keyOf } from '../../estate/estate';
import { isOver, isUnanswered } from '../../estate/standing';
import { useNow_ms } from '../../time/now';
import { duration } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useWords } from '../../words/words';
import { useSize } from './lasting';

const ROW_EM = 5.9;

/** The most urgent alarms, as many as the column holds; the rest as a number. */
export function WorstAlarms({
  alarms,
  placeOf,
}: {
  alarms: readonly AlarmOut[];
  placeOf: ReadonlyMap<string, string>;
}) {
  const { t, language, of } = useWords();
  const { name } = useServiceWords();
  const now_ms = useNow_ms();
  const [list, { height }] = useSize();
  const [probe, { height: row }] = useSize();
  const room = row > 0 ? Math.max(1, Math.floor(height / row)) : 0;
  const shown = alarms.slice(0, alarms.length > room ? Math.max(1, room - 1) : room);
  return (
    <ol className="worst" ref={list} aria-label={t('wall.worst')} style={{ '--rows': alarms.length } as CSSProperties}>
      <li ref={probe} className="worst-probe" aria-hidden="true" style={{ height: `${ROW_EM}em` }} />
      {shown.map(alarm => (
        <li
          key={alarm.id}
          className={`worst-row is-${alarm.priority} ${isUnanswered(alarm) ? 'is-unanswered' : 'is-answered'}`}
          style={{ height: `${ROW_EM}em` }}
        >
          <PriorityMark priority={alarm.priority} hollow={!isUnanswered(alarm)} />
          <span className="worst-words">
            <strong>{of(alarm.title)}</strong>
            <span>
              <GradeMark grade={alarm.facility.grade} /> {of(alarm.facility.name)}
            </span>
            <span className="worst-foot">
              {duration(language, now_ms - Date.parse(alarm.raised_at))} · {placeOf.get(keyOf(alarm.facility))}
              {isOver(alarm) && ` · ${name('shown_state', alarm.shown)}`}
            </span>
          </span>
        </li>
      ))}
      {alarms.length > shown.length && shown.length > 0 && (
        <li className="worst-more">{t('wall.more', { n: alarms.length - shown.length })}</li>
      )}
      {alarms.length === 0 && <li className="worst-none">{t('wall.none')}</li>}
    </ol>
  );
}
