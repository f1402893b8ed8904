import { Link } from 'react-router';
import { GradeMark } from '../../drawn/GradeMark';
import { useWords } from '../../words/words';
import { PressingClock } from './ClockFace';
import { PriorityWord, StateMark } from './Marks';
import { LANES, laneOf, type Order } from './orders';
import type { Placed, Steady } from './steady';

/** A column for each thing an order can wait for, the nearest deadline on top. */
export function Board({ placed, hold }: { placed: readonly Placed<Order>[]; hold: Steady<Order>['hold'] }) {
  const { t } = useWords();
  return (
    <section className="board" aria-label={t('orders.board')} {...hold}>
      {LANES.map(({ lane, states }) => {
        const cards = placed.filter(each => each.column === lane);
        return (
          <div key={lane} className={cards.length === 0 ? 'board-column board-column-empty' : 'board-column'}>
            <h2 className="board-title">
              {t(`orders.lane_${lane}`)} <span className="count">{cards.length}</span>
            </h2>
            <ul className="cards">
              {cards.map(each => (
                <OrderCard key={each.row.id} placed={each} stated={states.length > 1} />
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
  const moved = laneOf(order.state) !== column;
  return (
    <li className={gone ? 'card card-gone' : 'card'}>
      <Link to={`/work-orders/${order.id}`} className="card-link">
        <span className="card-top">
          <PriorityWord priority={order.priority} />
          {(stated || moved) && !gone && <StateMark state={order.state} />}
          {gone && <span className="order-state">{t('orders.gone')}</span>}
          <span className="card-number">#{order.id}</span>
        </span>
        <strong className="card-title">{of(order.title)}</strong>
        <span className="card-place">
          <GradeMark grade={order.facility.grade} /> {of(order.facility.name)}
        </span>
        <span className="card-who">{order.assignee ?? t('orders.nobody')}</span>
        <PressingClock order={order} />
      </Link>
    </li>
  );
}
