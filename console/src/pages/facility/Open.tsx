import { Link } from 'react-router';
import type { AlarmRow, RuleOut, WorkOrderOut } from '../../api/schema';
import { Mark } from '../../drawn/Mark';
import { byUrgency, isUnanswered } from '../../estate/standing';
import { useNow_ms } from '../../time/now';
import { duration, moment } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useWords } from '../../words/words';

type Props = {
  readonly rows: readonly AlarmRow[];
  readonly orders: readonly WorkOrderOut[];
  readonly silenced: readonly RuleOut[];
};

/** What is open here: alarms, work orders, and rules that a permit keeps silent. Nothing where there is none. */
export function Open({ rows, orders, silenced }: Props) {
  const { t, language, of } = useWords();
  const { name } = useServiceWords();
  const now_ms = useNow_ms();
  if (rows.length + orders.length + silenced.length === 0)
    return <p className="open-none">{t('facility.nothing_open')}</p>;
  return (
    <div className="open">
      {[...rows]
        .sort((one, other) => byUrgency(one.alarm, other.alarm))
        .map(({ alarm }) => (
          <Link key={alarm.id} to={`/alarms?alarm=${alarm.id}`} className={`open-row open-${alarm.priority}`}>
            <Mark priority={alarm.priority} grade={alarm.facility.grade} filled={isUnanswered(alarm)} />
            <strong>{of(alarm.title)}</strong>
            {alarm.part && <span>{alarm.part}</span>}
            <span className="open-foot">
              {name('shown_state', alarm.shown)} · {duration(language, now_ms - Date.parse(alarm.raised_at))}
            </span>
          </Link>
        ))}
      {orders.map(order => (
        <Link key={order.id} to={`/work-orders/${order.id}`} className="open-row">
          <span className="open-kind">{t('facility.order')}</span>
          <strong>{of(order.title)}</strong>
          <span className="open-foot">
            {name('work_order_state', order.state)}
            {order.assignee && ` · ${order.assignee}`}
          </span>
        </Link>
      ))}
      {silenced.map(rule => (
        <div key={rule.key} className="open-row open-silenced">
          <span className="open-kind">{t('facility.silenced')}</span>
          <strong>{of(rule.title)}</strong>
          <span className="open-foot">
            {rule.silenced_by
              .map(each =>
                t('facility.silenced_by', { permit: each.permit, until: moment(language, each.until, now_ms) }),
              )
              .join(' · ')}
          </span>
        </div>
      ))}
    </div>
  );
}
