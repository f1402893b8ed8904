import type { Priority, Value } from '../api/schema';
import { SHAPES } from '../drawn/shapes';
import { isDoubtful, useSpokenValue } from '../estate/values';
import { useWords } from '../words/words';
import { isOn, type Part } from './points';

/** As drawn/PriorityMark, inside a drawing; 16 wide. */
export function Alarmed({ x, y, priority }: { x: number; y: number; priority: Priority }) {
  return (
    <path
      className={`drawn-mark drawn-${priority}`}
      d={SHAPES[priority]}
      transform={`translate(${x} ${y}) scale(0.5)`}
    />
  );
}

type TagProps = {
  readonly x: number;
  readonly y: number;
  readonly value: Value | undefined;
  readonly wrong?: Priority | undefined;
  readonly width?: number;
  /** With the name of its part. */
  readonly whole?: boolean;
};

/** A value where it is measured: its name small, itself large. Old ones are dashed and violet, abnormal ones coloured. */
export function Tag({ x, y, value, wrong, width = 112, whole = false }: TagProps) {
  const { t, of } = useWords();
  const spoken = useSpokenValue();
  if (!value) return null;
  const doubtful = isDoubtful(value);
  const text = `${spoken(value.point, value.value)} ${value.unit}`.trim();
  const name = whole ? of(value.name) : nameOf(of(value.name), value.part_name ? of(value.part_name) : null);
  const old = doubtful ? ` ${t(value.ts === null ? 'draw.never' : 'point.stale')}` : '';
  return (
    <g
      transform={`translate(${x} ${y})`}
      className={`tag${doubtful ? ' tag-doubtful' : ''}${wrong ? ` tag-wrong tag-${wrong}` : ''}`}
    >
      <title>{`${of(value.name)}: ${text}${old}`}</title>
      <rect width={width} height={40} rx={4} />
      <text x={7} y={15} className="tag-name" {...squeezed(name, 12, width - 12)}>
        {name}
      </text>
      {/* 18: the letters are 16 high, but bold ones are wider. */}
      <text x={7} y={34} className="tag-value" {...squeezed(text + old, doubtful ? 16 : 18, width - (wrong ? 32 : 12))}>
        {text}
        {doubtful && <tspan className="tag-old">{old}</tspan>}
      </text>
      {wrong && <Alarmed x={width - 21} y={20} priority={wrong} />}
    </g>
  );
}

/** How wide a letter is in parts of its height: as in the widest of the fonts a browser takes. */
function widthOf(letter: string): number {
  if (letter > '\u2e7f') return 1;
  if (" .,:;'|ijlft()".includes(letter)) return 0.36;
  if ('mwMW%'.includes(letter)) return 0.95;
  return letter >= 'A' && letter <= 'Z' ? 0.7 : 0.62;
}

/** Text that is too long for its place is drawn narrower, not cut; what fits is left as it is. */
export function squeezed(text: string, size: number, room: number) {
  const width = [...text].reduce((sum, letter) => sum + size * widthOf(letter), 0);
  return width > room ? { textLength: room, lengthAdjust: 'spacingAndGlyphs' as const } : {};
}

/** `加压泵 1 水泵故障` beside the pump is `水泵故障`. */
function nameOf(name: string, part: string | null): string {
  const short = part !== null && name.startsWith(part) ? name.slice(part.length).replace(/^[\s:：]+/, '') : name;
  return short === '' ? name : short;
}

type PumpProps = {
  readonly x: number;
  readonly y: number;
  readonly part: Part;
  /** How wide its name may be before something else begins. */
  readonly room: number;
  readonly wrong: ReadonlyMap<string, Priority>;
};

/** A pump: filled while it runs, hollow while it stands; what it does stands beside it in words. */
export function Pump({ x, y, part, room, wrong }: PumpProps) {
  const { t, of } = useWords();
  const run = part.points.get('run');
  const fault = part.points.get('fault');
  const first = [...part.points.values()].map(value => wrong.get(value.point)).find(Boolean);
  const doubtful = !run || isDoubtful(run);
  const state = doubtful ? 'draw.unknown' : isOn(fault) ? 'draw.fault' : isOn(run) ? 'draw.running' : 'draw.standing';
  return (
    <g
      transform={`translate(${x} ${y})`}
      className={`pump${isOn(run) && !doubtful ? ' pump-running' : ''}${doubtful ? ' pump-doubtful' : ''}`}
    >
      <title>{`${of(part.name)}: ${t(state)}`}</title>
      <circle r={19} className={first ? `drawn-ring drawn-${first}` : ''} />
      <path d="M-9 -11L14 0L-9 11Z" />
      <text x={27} y={-3} className="pump-name" {...squeezed(of(part.name), 13, room)}>
        {of(part.name)}
      </text>
      <text x={27} y={14} className="pump-state">
        {t(state)}
      </text>
      {first && <Alarmed x={-24} y={-26} priority={first} />}
    </g>
  );
}

/** A vessel filled to `level` per cent; null: not known, and not drawn. */
export function Tank({
  x,
  y,
  width,
  height,
  level,
}: {
  x: number;
  y: number;
  width: number;
  height: number;
  level: Value | undefined;
}) {
  const known = level && !isDoubtful(level) && typeof level.value === 'number' && level.unit === '%';
  const filled = known ? Math.max(0, Math.min(1, Number(level.value) / 100)) * (height - 4) : 0;
  return (
    <g transform={`translate(${x} ${y})`} className="tank">
      <rect width={width} height={height} rx={3} />
      {known && <rect className="tank-water" x={2} y={height - 2 - filled} width={width - 4} height={filled} />}
    </g>
  );
}

export function Pipe({ d }: { d: string }) {
  return <path className="pipe" d={d} />;
}
