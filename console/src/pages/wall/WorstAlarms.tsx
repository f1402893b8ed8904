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
import { together } from './together';

const ROW_EM = 5.9;

type Props = {
  readonly alarms: readonly AlarmOut[];
  readonly placeOf: ReadonlyMap<string, string>;
  readonly siteOf: ReadonlyMap<string, string>;
};

/** The most urgent alarms, as many as the column holds; the rest as a number. */
export function WorstAlarms({ alarms, placeOf, siteOf }: Props) {
  const { t } = useWords();
  const entries = together(alarms);
  const [list, { height }] = useSize();
  const [probe, { height: row }] = useSize();
  const room = row > 0 ? Math.max(1, Math.floor(height / row)) : 0;
  const shown = entries.slice(0, entries.length > room ? Math.max(1, room - 1) : room);
  const more = alarms.length - shown.flat().length;
  return (
    <ol className="worst" ref={list} aria-label={t('wall.worst')} style={{ '--rows': entries.length } as CSSProperties}>
      <li ref={probe} className="worst-probe" aria-hidden="true" style={{ height: `${ROW_EM}em` }} />
      {shown.map(([first, ...others]) =>
        first === undefined ? null : (
          <li
            key={first.id}
            className={`worst-row is-${first.priority} ${isUnanswered(first) ? 'is-unanswered' : 'is-answered'}`}
            style={{ height: `${ROW_EM}em` }}
          >
            <PriorityMark priority={first.priority} hollow={!isUnanswered(first)} />
            {others.length === 0 ? (
              <One alarm={first} place={placeOf.get(keyOf(first.facility))} />
            ) : (
              <Several alarms={[first, ...others]} site={siteOf.get(first.facility.site)} />
            )}
          </li>
        ),
      )}
      {more > 0 && shown.length > 0 && <li className="worst-more">{t('wall.more', { n: more })}</li>}
      {alarms.length === 0 && <li className="worst-none">{t('wall.none')}</li>}
    </ol>
  );
}

function One({ alarm, place }: { alarm: AlarmOut; place: string | undefined }) {
  const { language, of } = useWords();
  const { name } = useServiceWords();
  const now_ms = useNow_ms();
  return (
    <span className="worst-words">
      <strong>{of(alarm.title)}</strong>
      <span>
        <GradeMark grade={alarm.facility.grade} /> {of(alarm.facility.name)}
      </span>
      <span className="worst-foot">
        {duration(language, now_ms - Date.parse(alarm.raised_at))} · {place}
        {isOver(alarm) && ` · ${name('shown_state', alarm.shown)}`}
      </span>
    </span>
  );
}

/** Of one rule of the calendar at one site. */
function Several({ alarms, site }: { alarms: readonly [AlarmOut, ...AlarmOut[]]; site: string | undefined }) {
  const { t, of } = useWords();
  return (
    <span className="worst-words">
      <strong>{of(alarms[0].title)}</strong>
      <span>{site}</span>
      <span className="worst-foot">
        {t('alarms.group', { n: alarms.length, unseen: alarms.filter(isUnanswered).length })}
      </span>
    </span>
  );
}
