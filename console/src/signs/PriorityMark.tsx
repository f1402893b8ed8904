import type { Priority } from '../api/schema';
import { useServiceWords } from '../words/vocabulary';
import './signs.css';

/** Each priority has a shape of its own, so that nobody needs its colour: octagon, triangle, square, circle. */
const SHAPES: Readonly<Record<Priority, string>> = {
  urgent: 'M10 2h12l8 8v12l-8 8H10l-8-8V10z',
  high: 'M16 1.5L31 30H1z',
  medium: 'M3 3h26v26H3z',
  low: 'M16 2a14 14 0 1 1 0 28a14 14 0 1 1 0-28z',
};

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
