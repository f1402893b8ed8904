import type { Priority } from '../api/schema';
import { useServiceWords } from '../words/vocabulary';
import './drawn.css';
import { SHAPES } from './shapes';

/** A priority as colour and shape, hollow once somebody has acknowledged it; the word is there for who cannot see either. */
export function PriorityMark({ priority, hollow = false }: { priority: Priority; hollow?: boolean }) {
  const { name } = useServiceWords();
  return (
    <svg
      className={`priority priority-${priority}${hollow ? ' priority-hollow' : ''}`}
      viewBox="-2 -2 36 36"
      role="img"
      aria-label={name('priority', priority)}
    >
      <title>{name('priority', priority)}</title>
      <path d={SHAPES[priority]} />
    </svg>
  );
}
