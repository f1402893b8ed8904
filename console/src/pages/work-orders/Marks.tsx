import { PriorityMark } from '../../drawn/PriorityMark';
import { useServiceWords } from '../../words/vocabulary';
import type { Order } from './orders';

/** Priority as its mark with the word beside it. */
export function PriorityWord({ priority }: { priority: Order['priority'] }) {
  const { name } = useServiceWords();
  return (
    <span className={`priority-word priority-word-${priority}`}>
      <PriorityMark priority={priority} /> {name('priority', priority)}
    </span>
  );
}

export function StateMark({ state }: { state: Order['state'] }) {
  const { name } = useServiceWords();
  return <span className={`order-state order-state-${state}`}>{name('work_order_state', state)}</span>;
}
