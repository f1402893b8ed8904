import { isDoubtful } from '../estate/values';
import { useWords } from '../words/words';
import { of } from './Booster';
import type { Drawn, Part } from './points';
import { Alarmed, Pipe, squeezed, Tag } from './shapes';
import { Tags } from './Tags';

const ROW = 50;

/** From the incoming line over the transformers to the busbar, and the feeders that hang on it. */
export function Distribution({ drawn }: { drawn: Drawn }) {
  const { own, parts, wrong } = drawn;
  const transformers = parts.filter(part => part.kind === 'transformer');
  const feeders = parts.filter(part => part.kind === 'feeder');
  const at = (key: string) => ({ value: own.get(key), wrong: wrong.get(key) });
  const bar = 196;
  const width = 460 / Math.max(transformers.length, 1);
  return (
    <Tags
      drawn={drawn}
      from={bar + 66 + feeders.length * ROW}
      placed={['mv_voltage', 'line_voltage_ab', 'power_factor', 'frequency']}
    >
      <Tag x={10} y={10} {...at('mv_voltage')} />
      <Tag x={128} y={10} {...at('frequency')} />
      <Tag x={246} y={10} {...at('power_factor')} />
      {transformers.map((part, index) => (
        <Transformer
          key={part.key}
          x={10 + index * width + 26}
          y={98}
          part={part}
          wrong={wrong}
          bar={bar}
          wide={width > 200}
        />
      ))}
      <path className="busbar" d={`M10 ${bar}H470`} />
      <Tag x={358} y={bar + 8} {...at('line_voltage_ab')} />
      {feeders.map((part, index) => (
        <Feeder key={part.key} y={bar + 66 + index * ROW} bar={bar} part={part} wrong={wrong} />
      ))}
    </Tags>
  );
}

/** The hottest of the three windings. */
function hottest(part: Part) {
  const windings = ['winding_temp_a', 'winding_temp_b', 'winding_temp_c'].flatMap(key => part.points.get(key) ?? []);
  return windings.sort((one, other) => Number(other.value) - Number(one.value))[0];
}

function Transformer({
  x,
  y,
  part,
  wrong,
  bar,
  wide,
}: {
  x: number;
  y: number;
  part: Part;
  wrong: Drawn['wrong'];
  bar: number;
  wide: boolean;
}) {
  const { of: say } = useWords();
  const first = [...part.points.values()].map(value => wrong.get(value.point)).find(Boolean);
  return (
    <g>
      <Pipe d={`M${x} 62V${y - 22}M${x} ${y + 40}V${bar}`} />
      <circle className={`coil${first ? ` drawn-ring drawn-${first}` : ''}`} cx={x} cy={y - 3} r={19} />
      <circle className={`coil${first ? ` drawn-ring drawn-${first}` : ''}`} cx={x} cy={y + 21} r={19} />
      {first && <Alarmed x={x - 30} y={y - 30} priority={first} />}
      <text className="pump-name" x={x + 26} y={y - 12}>
        {say(part.name)}
      </text>
      <Tag x={x + 26} y={y - 4} width={wide ? 92 : 84} {...of(hottest(part), wrong)} />
      {wide && <Tag x={x + 122} y={y - 4} width={74} {...of(part.points.get('load_rate'), wrong)} />}
    </g>
  );
}

function Feeder({ y, bar, part, wrong }: { y: number; bar: number; part: Part; wrong: Drawn['wrong'] }) {
  const { t, of: say } = useWords();
  const breaker = part.points.get('breaker_state');
  const trip = part.points.get('breaker_trip');
  const first = [...part.points.values()].map(value => wrong.get(value.point)).find(Boolean);
  const known = breaker !== undefined && !isDoubtful(breaker);
  const closed = breaker?.value === 'closed';
  const middle = y + 20;
  const state = !known ? 'draw.unknown' : trip?.value === true ? 'draw.tripped' : closed ? 'draw.closed' : 'draw.open';
  return (
    <g>
      <Pipe d={`M30 ${bar}V${middle}H44M74 ${middle}H94`} />
      <circle className={first ? `breaker-end drawn-ring drawn-${first}` : 'breaker-end'} cx={44} cy={middle} r={4} />
      <circle className="breaker-end" cx={74} cy={middle} r={4} />
      {known && <path className="breaker" d={closed ? `M44 ${middle}H74` : `M44 ${middle}L70 ${middle - 16}`} />}
      <text className="pump-name" x={100} y={middle - 3} {...squeezed(say(part.name), 13, 116)}>
        {say(part.name)}
      </text>
      <text className="pump-state" x={100} y={middle + 14}>
        {t(state)}
      </text>
      {first && <Alarmed x={8} y={middle - 8} priority={first} />}
      <Tag x={222} y={y} width={80} {...of(part.points.get('current_a'), wrong)} />
      <Tag x={306} y={y} width={84} {...of(part.points.get('residual_current'), wrong)} />
      <Tag x={394} y={y} width={78} {...of(part.points.get('cable_temp') ?? part.points.get('joint_temp'), wrong)} />
    </g>
  );
}
