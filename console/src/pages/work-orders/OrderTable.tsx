import { Link } from 'react-router';
import { GradeMark } from '../../drawn/GradeMark';
import { useNow_ms } from '../../time/now';
import { duration, moment } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useWords } from '../../words/words';
import { PressingClock } from './ClockFace';
import { PriorityWord, StateMark } from './Marks';
import type { Order } from './orders';
import type { Placed, Steady } from './steady';

/** One line for each order, for a mouse and a wide screen. */
export function OrderTable({ placed, hold }: { placed: readonly Placed<Order>[]; hold?: Steady<Order>['hold'] }) {
  const { t, of } = useWords();
  const { name } = useServiceWords();
  return (
    <div className="table-scroll" {...hold}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{t('orders.number')}</th>
            <th scope="col">{t('orders.priority')}</th>
            <th scope="col">{t('orders.title')}</th>
            <th scope="col">{t('orders.facility')}</th>
            <th scope="col">{t('orders.work_class')}</th>
            <th scope="col">{t('orders.state')}</th>
            <th scope="col">{t('orders.deadline')}</th>
            <th scope="col">{t('orders.assignee')}</th>
            <th scope="col">{t('orders.age')}</th>
          </tr>
        </thead>
        <tbody>
          {placed.map(({ row: order, gone }) => (
            <tr key={order.id} className={gone ? 'row-gone' : undefined}>
              <td>#{order.id}</td>
              <td>
                <PriorityWord priority={order.priority} />
              </td>
              <th scope="row">
                <Link to={`/work-orders/${order.id}`}>{of(order.title)}</Link>
              </th>
              <td>
                <GradeMark grade={order.facility.grade} /> {of(order.facility.name)}
              </td>
              <td>{name('work_class', order.work_class)}</td>
              <td>{gone ? t('orders.gone') : <StateMark state={order.state} />}</td>
              <td>{order.ended_at === null ? <PressingClock order={order} /> : <Ended at={order.ended_at} />}</td>
              <td>{order.assignee ?? <span className="faint">{t('orders.nobody')}</span>}</td>
              <td>
                <Age order={order} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Ended({ at }: { at: string }) {
  const { language } = useWords();
  return <time dateTime={at}>{moment(language, at, useNow_ms())}</time>;
}

function Age({ order }: { order: Order }) {
  const { language } = useWords();
  const now_ms = useNow_ms();
  const until_ms = order.ended_at === null ? now_ms : Date.parse(order.ended_at);
  return (
    <time dateTime={order.opened_at} title={moment(language, order.opened_at, now_ms)}>
      {duration(language, until_ms - Date.parse(order.opened_at))}
    </time>
  );
}
