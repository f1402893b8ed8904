import { useSpokenValue } from '../../estate/values';
import { useServiceWords } from '../../words/vocabulary';
import { useWords } from '../../words/words';
import type { AlarmRow } from './rows';

export type Shown = number | boolean | string | null;

const SIGNS: Readonly<Record<string, string>> = { '<=': '≤', '>=': '≥', '==': '=', '!=': '≠' };

/** `0.21 MPa` and beside it `< 0.3`: the value now, and the limit it crossed. */
export function Value({ row, now }: { row: AlarmRow; now: Shown | undefined }) {
  const { of } = useWords();
  const { name } = useServiceWords();
  const spoken = useSpokenValue();
  const { ground } = row;
  if (ground === null) return <span className="row-faint">{name('severity', row.alarm.severity)}</span>;
  const value = now === undefined ? (ground.raised_with as Shown) : now;
  const label = of(ground.name);
  return (
    <span className="value" title={label}>
      <span className="value-name">{label}</span>
      <span className="value-now">
        <strong className="value-figure">{spoken(ground.point, value)}</strong>
        {ground.unit !== '' && <small> {ground.unit}</small>}
        {ground.comparison !== null && typeof ground.limit === 'number' && (
          <span className="value-limit">
            {SIGNS[ground.comparison] ?? ground.comparison} {spoken(ground.point, ground.limit)}
          </span>
        )}
      </span>
    </span>
  );
}
