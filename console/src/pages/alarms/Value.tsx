import { useServiceWords } from '../../words/vocabulary';
import { useWords } from '../../words/words';
import type { AlarmRow } from './rows';

export type Shown = number | boolean | string | null;

const SIGNS: Readonly<Record<string, string>> = { '<=': '≤', '>=': '≥', '==': '=', '!=': '≠' };

export function useFigure() {
  const { t } = useWords();
  return (value: Shown): string => {
    if (value === null) return t('alarms.no_value');
    if (typeof value === 'boolean') return t(value ? 'alarms.on' : 'alarms.off');
    if (typeof value === 'string') return value;
    return Number(value.toPrecision(4)).toString();
  };
}

/** `0.21 MPa` and under it `< 0.3`: the value now, and the limit it crossed. */
export function Value({ row, now }: { row: AlarmRow; now: Shown | undefined }) {
  const { of } = useWords();
  const { name } = useServiceWords();
  const figure = useFigure();
  const { ground } = row;
  if (ground === null) return <span className="row-faint">{name('severity', row.alarm.severity)}</span>;
  const value = now === undefined ? (ground.raised_with as Shown) : now;
  const label = of(ground.name);
  return (
    <span className="value" title={label}>
      <span className="value-name">{label}</span>
      <span className="value-now">
        <strong className="value-figure">{figure(value)}</strong>
        {ground.unit !== '' && <small> {ground.unit}</small>}
        {ground.comparison !== null && typeof ground.limit === 'number' && (
          <span className="value-limit">
            {SIGNS[ground.comparison] ?? ground.comparison} {figure(ground.limit)}
          </span>
        )}
      </span>
    </span>
  );
}
