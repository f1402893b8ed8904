import { useServiceWords } from '../words/vocabulary';
import './drawn.css';

export type Priority = 'urgent' | 'high' | 'medium' | 'low';
export type Grade = 'A' | 'B' | 'C';

/** Each priority has a shape of its own, so that nobody needs its colour: octagon, triangle, square, circle. */
export const SHAPES: Readonly<Record<Priority, string>> = {
  urgent: 'M10 2h12l8 8v12l-8 8H10l-8-8V10z',
  high: 'M16 1.5L31 30H1z',
  medium: 'M3 3h26v26H3z',
  low: 'M16 2a14 14 0 1 1 0 28a14 14 0 1 1 0-28z',
};

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
