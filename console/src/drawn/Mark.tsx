import type { Grade, Priority } from '../api/schema';
import { useServiceWords } from '../words/vocabulary';
import './drawn.css';
import { SHAPES } from './shapes';

/** Priority as shape and colour, the facility's grade as the letter in it; filled while nobody has acknowledged it. */
export function Mark({ priority, grade, filled }: { priority: Priority; grade: Grade; filled: boolean }) {
  const { name } = useServiceWords();
  const words = `${name('priority', priority)} · ${name('grade', grade)}`;
  return (
    <svg
      className={`mark mark-${priority} ${filled ? 'mark-filled' : ''}`}
      viewBox="0 0 32 32"
      role="img"
      aria-label={words}
    >
      <title>{words}</title>
      <path d={SHAPES[priority]} />
      <text x="16" y={priority === 'high' ? 26 : 22} textAnchor="middle">
        {grade}
      </text>
    </svg>
  );
}
