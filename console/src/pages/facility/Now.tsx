import { useMemo, useState } from 'react';
import type { AlarmRow, FacilityDetail, Priority, RuleOut, Value } from '../../api/schema';
import { Chart } from '../../charts/Chart';
import { POINTS_MAX } from '../../charts/strokes';
import { PriorityMark } from '../../drawn/PriorityMark';
import type { Where } from '../../estate/facility';
import { grouped } from '../../estate/grouped';
import { abnormal } from '../../estate/standing';
import { isDoubtful, useSpokenValue } from '../../estate/values';
import { useNow_ms } from '../../time/now';
import { duration } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useWords } from '../../words/words';

type Props = {
  readonly where: Where;
  readonly found: FacilityDetail;
  readonly rules: readonly RuleOut[];
  readonly rows: readonly AlarmRow[];
};

/** The points as they stand, and a chart of those that were picked. */
export function Now({ where, found, rules, rows }: Props) {
  const { t } = useWords();
  const values = found.facility.values ?? [];
  const [picked, setPicked] = useState<readonly string[] | null>(null);
  const wrong = useMemo(() => abnormal(rows), [rows]);
  const shown = picked ?? firstOf(values, wrong);
  const chosen = useChosen(values, shown);
  const toggle = (point: string) =>
    setPicked(shown.includes(point) ? shown.filter(each => each !== point) : [...shown, point].slice(-POINTS_MAX));
  if (values.length === 0) return <p className="open-none">{t('facility.no_points')}</p>;
  return (
    <div className="now">
      <Points found={found} values={values} wrong={wrong} shown={shown} onToggle={toggle} />
      <Chart where={where} points={chosen} rules={rules} />
    </div>
  );
}

/** The values change every few seconds, the choice does not: the chart is drawn anew only for another choice. */
function useChosen(values: readonly Value[], shown: readonly string[]): readonly Value[] {
  const key = shown.join(' ');
  return useMemo(() => key.split(' ').flatMap(point => values.find(each => each.point === point) ?? []), [values, key]);
}

const isDrawn = (value: Value) => value.kind !== 'enum';

function firstOf(values: readonly Value[], wrong: ReadonlyMap<string, Priority>): readonly string[] {
  const drawn = values.filter(isDrawn);
  const first = drawn.find(each => wrong.has(each.point)) ?? drawn.find(each => each.kind === 'measure') ?? drawn[0];
  return first ? [first.point] : [];
}

function Points({
  found,
  values,
  wrong,
  shown,
  onToggle,
}: {
  found: FacilityDetail;
  values: readonly Value[];
  wrong: ReadonlyMap<string, Priority>;
  shown: readonly string[];
  onToggle: (point: string) => void;
}) {
  const { t, of } = useWords();
  const parts = grouped(values, value => value.part);
  const named = new Map(found.parts.map(part => [part.key, of(part.name)]));
  return (
    <div className="points-box">
      <table className="points">
        <caption className="visually-hidden">{t('facility.points')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('point.name')}</th>
            <th scope="col" className="number">
              {t('point.value')}
            </th>
            <th scope="col">{t('point.age')}</th>
          </tr>
        </thead>
        {[...parts].map(([part, group]) => (
          <tbody key={part ?? ''}>
            {part !== null && (
              <tr className="points-part">
                <th colSpan={3} scope="rowgroup">
                  {named.get(part) ?? part}
                </th>
              </tr>
            )}
            {group.map(value => (
              <PointRow
                key={value.point}
                value={value}
                wrong={wrong.get(value.point)}
                isShown={shown.includes(value.point)}
                onToggle={onToggle}
              />
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function PointRow({
  value,
  wrong,
  isShown,
  onToggle,
}: {
  value: Value;
  wrong: Priority | undefined;
  isShown: boolean;
  onToggle: (point: string) => void;
}) {
  const { of } = useWords();
  const spoken = useSpokenValue();
  return (
    <tr className={`${wrong ? `point-${wrong}` : ''}${isDoubtful(value) ? ' point-doubtful' : ''}`}>
      <td>
        <label className="point-pick">
          <input type="checkbox" checked={isShown} disabled={!isDrawn(value)} onChange={() => onToggle(value.point)} />
          {of(value.name)}
        </label>
      </td>
      <td className="number">
        {wrong && <PriorityMark priority={wrong} />} <strong>{spoken(value.point, value.value)}</strong>{' '}
        <span className="unit">{value.unit}</span>
      </td>
      <td className="point-age">
        <Age value={value} />
      </td>
    </tr>
  );
}

function Age({ value }: { value: Value }) {
  const { t, language } = useWords();
  const { name } = useServiceWords();
  const now_ms = useNow_ms();
  if (value.ts === null) return <>{t('point.never')}</>;
  const age = duration(language, now_ms - Date.parse(value.ts));
  const why =
    value.quality !== null && value.quality !== 'good'
      ? name('quality', value.quality)
      : value.stale && t('point.stale');
  return <>{why ? `${why} · ${age}` : age}</>;
}
