import type { Grade } from '../api/schema';
import { useServiceWords } from '../words/vocabulary';
import './drawn.css';

/** The letter of a risk grade, in a frame that is heavier for the stricter. Grey: a grade is nothing abnormal. */
export function GradeMark({ grade }: { grade: Grade }) {
  const { name } = useServiceWords();
  return (
    <span className={`grade grade-${grade}`} role="img" aria-label={name('grade', grade)} title={name('grade', grade)}>
      {grade}
    </span>
  );
}
