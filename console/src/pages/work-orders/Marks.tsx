import { useServiceWords } from '../../words/vocabulary';
import type { Order } from './orders';

/** Priority as a shape with its word: a filled diamond, triangle, square, or an empty circle. */
export function PriorityMark({ priority, short }: { priority: Order['priority']; short?: boolean }) {
  const { name } = useServiceWords();
  const word = name('priority', priority);
  return (
    <span className={`priority priority-${priority}`} title={word}>
      <svg viewBox="0 0 16 16" width="1em" height="1em" aria-hidden="true">
        {priority === 'urgent' && <path d="M8 0 16 8 8 16 0 8Z" />}
        {priority === 'high' && <path d="M8 1 16 15H0Z" />}
        {priority === 'medium' && <path d="M2 2H14V14H2Z" />}
        {priority === 'low' && <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" strokeWidth="2.5" />}
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
