import { Link } from 'react-router';
import { useServiceWords } from '../../words/vocabulary';
import { useWords } from '../../words/words';
import { PressingClock } from './ClockFace';
import { GradeMark, PriorityMark, StateMark } from './Marks';
import { OPEN_STATES, type Order } from './orders';
import type { Placed, Steady } from './steady';

/** A column for each state an order can wait in, those with the nearest deadline on top. */
export function Board({ placed, hold }: { placed: readonly Placed<Order>[]; hold: Steady<Order>['hold'] }) {
  const { t } = useWords();
  const { name } = useServiceWords();
  return (
    <section className="board" aria-label={t('orders.board')} {...hold}>
      {OPEN_STATES.map(state => {
        const cards = placed.filter(each => each.column === state);
        return (
          <div key={state} className={cards.length === 0 ? 'board-column board-column-empty' : 'board-column'}>
            <h2 className="board-title">
              {name('work_order_state', state)} <span className="count">{cards.length}</span>
            </h2>
            <ul className="cards">
              {cards.map(each => (
                <OrderCard key={each.row.id} placed={each} />
              ))}
            </ul>
          </div>
        );
      })}
    </section>
  );
}

export function OrderCard({ placed, stated }: { placed: Placed<Order>; stated?: boolean }) {
  const { of, t } = useWords();
  const { row: order, column, gone } = placed;
  const moved = order.state !== column;
  return (
    <li className={gone ? 'card card-gone' : 'card'}>
      <Link to={`/work-orders/${order.id}`} className="card-link">
        <span className="card-top">
          <PriorityMark priority={order.priority} />
          {(stated || moved) && !gone && <StateMark state={order.state} />}
          {gone && <span className="order-state">{t('orders.gone')}</span>}
          <span className="card-number">#{order.id}</span>
        </span>
        <strong className="card-title">{of(order.title)}</strong>
        <span className="card-place">
          <GradeMark grade={order.facility.grade} /> {of(order.facility.name)}
        </span>
        <span className="card-foot">
          <PressingClock order={order} />
          <span className="card-who">{order.assignee ?? t('orders.nobody')}</span>
        </span>
      </Link>
    </li>
  );
}
