import { SHAPES } from '../../drawn/Mark';
import { useServiceWords } from '../../words/vocabulary';
import type { Order } from './orders';

/** Priority as a shape with its word; the same shapes as in the alarm list. */
export function PriorityMark({ priority, short }: { priority: Order['priority']; short?: boolean }) {
  const { name } = useServiceWords();
  const word = name('priority', priority);
  return (
    <span className={`priority priority-${priority}`} title={word}>
      <svg viewBox="0 0 32 32" width="1em" height="1em" aria-hidden="true">
        <path d={SHAPES[priority]} />
      </svg>
      {short ? <span className="unseen">{word}</span> : <span>{word}</span>}
    </span>
  );
}

export function GradeMark({ grade }: { grade: Order['facility']['grade'] }) {
  const { name } = useServiceWords();
  return (
    <abbr className="grade" title={name('grade', grade)}>
      {grade}
    </abbr>
  );
}

export function StateMark({ state }: { state: Order['state'] }) {
  const { name } = useServiceWords();
  return <span className={`order-state order-state-${state}`}>{name('work_order_state', state)}</span>;
}
