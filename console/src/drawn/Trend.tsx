import './drawn.css';

export type Slot = { readonly ts: string; readonly min: number; readonly max: number; readonly last: number };

type Props = {
  readonly slots: readonly Slot[];
  readonly begin_ms: number;
  readonly end_ms: number;
  readonly slot_ms: number;
  readonly limit: number | null;
  readonly label: string;
};

const WIDTH = 120;
const HEIGHT = 34;
const MARGIN = 3;

/** The scale takes in the limit, so that the distance to it is seen; a flat line stands in the middle. */
export function scale(slots: readonly Slot[], limit: number | null): (value: number) => number {
  const values = slots.flatMap(each => [each.min, each.max]).concat(limit ?? []);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const span = high - low;
  return value => (span === 0 ? HEIGHT / 2 : HEIGHT - MARGIN - ((value - low) / span) * (HEIGHT - 2 * MARGIN));
}

/** Runs of neighbouring spans: what is between them was not measured and is not drawn. */
export function runs(slots: readonly Slot[], slot_ms: number): readonly (readonly Slot[])[] {
  const found: Slot[][] = [];
  let previous_ms = Number.NEGATIVE_INFINITY;
  for (const slot of slots) {
    const at_ms = Date.parse(slot.ts);
    if (at_ms - previous_ms > slot_ms * 1.5) found.push([]);
    found.at(-1)?.push(slot);
    previous_ms = at_ms;
  }
  return found;
}

/** A day in the size of a word: the band from smallest to largest, the last value of each span, and the limit. */
export function Trend({ slots, begin_ms, end_ms, slot_ms, limit, label }: Props) {
  if (slots.length === 0) return <span className="trend trend-empty" role="img" aria-label={label} />;
  const y = scale(slots, limit);
  const x = (ms: number) => ((ms - begin_ms) / (end_ms - begin_ms)) * WIDTH;
  const width = x(begin_ms + slot_ms);
  const middle = (slot: Slot) => x(Date.parse(slot.ts)) + width / 2;
  return (
    <svg className="trend" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <title>{label}</title>
      {slots.map(slot => (
        <line
          key={slot.ts}
          className="trend-band"
          x1={middle(slot)}
          x2={middle(slot)}
          y1={y(slot.min)}
          y2={y(slot.max)}
        />
      ))}
      {runs(slots, slot_ms).map(run => (
        <polyline
          key={run[0]?.ts}
          className="trend-line"
          points={run.map(slot => `${middle(slot).toFixed(1)},${y(slot.last).toFixed(1)}`).join(' ')}
        />
      ))}
      {limit !== null && <line className="trend-limit" x1={0} x2={WIDTH} y1={y(limit)} y2={y(limit)} />}
    </svg>
  );
}
