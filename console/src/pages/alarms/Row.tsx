import { CheckOutlined, EllipsisOutlined } from '@ant-design/icons';
import { Button, Checkbox, Dropdown } from 'antd';
import { memo } from 'react';
import { Link } from 'react-router';
import { Mark } from '../../drawn/Mark';
import { Trend } from '../../drawn/Trend';
import { useNow_ms } from '../../time/now';
import { duration, moment } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useWords } from '../../words/words';
import { DEEDS, type DeedKind } from './deeds';
import { isUnacknowledged } from './order';
import type { AlarmRow } from './rows';
import type { Day } from './trends';
import { type Shown, Value } from './Value';

/** Why something cannot be done; null: it can. */
export type Hindrance = 'state' | 'right' | null;

type Props = {
  readonly row: AlarmRow;
  readonly day: Day | undefined;
  readonly selected: boolean;
  readonly current: boolean;
  readonly fresh: boolean;
  readonly gone: boolean;
  readonly hidden: ReadonlySet<string>;
  readonly hindrance: (kind: DeedKind, row: AlarmRow) => Hindrance;
  readonly onSelect: (id: number, range: boolean) => void;
  readonly onDo: (kind: DeedKind, row: AlarmRow) => void;
  readonly onWhy: (id: number) => void;
};

export const Row = memo(function Row(props: Props) {
  const { row, selected, current, fresh, gone, hidden, onSelect, onDo, onWhy, hindrance } = props;
  const { t, of } = useWords();
  const { name, vocabulary } = useServiceWords();
  const { alarm } = row;
  const part = alarm.part === null ? '' : ` · ${alarm.part}`;
  const title = of(alarm.title);
  const offered = DEEDS.filter(kind => hindrance(kind, row) !== 'right');
  const classes = ['row', `row-${alarm.priority}`];
  if (isUnacknowledged(row)) classes.push('row-unacknowledged');
  if (current) classes.push('row-current');
  if (fresh) classes.push('row-fresh');
  if (gone) classes.push('row-gone');
  return (
    <div className={classes.join(' ')} data-alarm={alarm.id}>
      <span className="cell-select">
        <Checkbox
          checked={selected}
          aria-label={t('alarms.select', { title })}
          onChange={event => onSelect(alarm.id, event.nativeEvent.shiftKey === true)}
        />
      </span>
      <Mark priority={alarm.priority} grade={alarm.facility.grade} filled={isUnacknowledged(row)} />
      <button type="button" className="cell-title" onClick={() => onWhy(alarm.id)} title={t('alarms.why')}>
        <strong>{title}</strong>
        <span className="row-faint">
          {of(alarm.facility.name)}
          {part} · {of(row.area.name)}
          {alarm.occurrences > 1 && <em> ×{alarm.occurrences}</em>}
        </span>
      </button>
      <span className="cell-value">
        <Value row={row} now={props.day?.trend?.value as Shown | undefined} />
      </span>
      {!hidden.has('trend') && (
        <span className="cell-trend">
          {props.day?.trend && (
            <Trend
              slots={props.day.trend.slots}
              begin_ms={props.day.begin_ms}
              end_ms={props.day.end_ms}
              slot_ms={props.day.slot_ms}
              limit={props.day.trend.limit}
              label={t('alarms.trend_of', { point: row.ground ? of(row.ground.name) : '' })}
            />
          )}
        </span>
      )}
      <span className="cell-state">
        <span className="state-word">{gone ? t('alarms.gone') : name('shown_state', alarm.shown)}</span>
        {alarm.acknowledged_by !== null && <span className="row-faint">{alarm.acknowledged_by}</span>}
      </span>
      <span className="cell-age">
        <Age raised_at={alarm.raised_at} />
      </span>
      {!hidden.has('order') && (
        <span className="cell-order">
          <OrderCell row={row} ready={vocabulary !== undefined} />
        </span>
      )}
      <span className="cell-deeds">
        {offered.includes('acknowledge') && (
          <Button
            icon={<CheckOutlined aria-hidden="true" />}
            type={isUnacknowledged(row) ? 'primary' : 'default'}
            disabled={gone || hindrance('acknowledge', row) !== null}
            onClick={() => onDo('acknowledge', row)}
          >
            {t('deed.acknowledge')}
          </Button>
        )}
        {offered.length > 0 && (
          <Dropdown
            trigger={['click']}
            menu={{
              items: [
                ...offered
                  .filter(kind => kind !== 'acknowledge')
                  .map(kind => ({
                    key: kind,
                    label: t(`deed.${kind}`),
                    disabled: gone || hindrance(kind, row) !== null,
                    onClick: () => onDo(kind, row),
                  })),
                { type: 'divider' as const },
                { key: 'why', label: t('alarms.why'), onClick: () => onWhy(alarm.id) },
              ],
            }}
          >
            <Button icon={<EllipsisOutlined aria-hidden="true" />} aria-label={t('alarms.more', { title })} />
          </Dropdown>
        )}
      </span>
    </div>
  );
});

function Age({ raised_at }: { raised_at: string }) {
  const { language } = useWords();
  const now_ms = useNow_ms();
  return (
    <time dateTime={raised_at} title={moment(language, raised_at, now_ms)}>
      {duration(language, Math.max(0, now_ms - Date.parse(raised_at)))}
    </time>
  );
}

/** The order that presses most, who has it, and how long until its next promise is broken. */
function OrderCell({ row }: { row: AlarmRow; ready: boolean }) {
  const { t } = useWords();
  const { name } = useServiceWords();
  const [first] = [...row.orders].sort((a, b) => (a.due?.at ?? '~').localeCompare(b.due?.at ?? '~'));
  if (first === undefined) return <span className="row-faint">{t('alarms.no_order')}</span>;
  return (
    <>
      <Link to={`/work-orders/${first.id}`} className="order-link">
        #{first.id} {first.assignee ?? name('work_order_state', first.state)}
      </Link>
      {first.due === null ? (
        <span className="row-faint">{name('work_order_state', first.state)}</span>
      ) : (
        <Countdown clock={first.due.clock} at={first.due.at} />
      )}
    </>
  );
}

const NEAR_MS = 5 * 60_000;

function Countdown({ clock, at }: { clock: string; at: string }) {
  const { t, language } = useWords();
  const { name } = useServiceWords();
  const left_ms = Date.parse(at) - useNow_ms();
  const time = duration(language, left_ms);
  const pressing = left_ms < 0 ? 'due-missed' : left_ms < NEAR_MS ? 'due-near' : '';
  return (
    <span className={`due ${pressing}`} title={name('work_order_clock', clock)}>
      {name('work_order_clock', clock)} {left_ms < 0 ? t('alarms.overdue', { time }) : time}
    </span>
  );
}
