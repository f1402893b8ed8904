import type { Value } from '../api/schema';
import type { Drawn } from './points';
import { Pump, Tag, Tank } from './shapes';
import { Tags } from './Tags';

const PLAIN_MAX = 24;

/** A pit or a tank with its level and what empties it. */
export function Vessel({ drawn }: { drawn: Drawn }) {
  const { own, parts, wrong } = drawn;
  const level = own.get('sump_level') ?? own.get('fire_tank_level');
  const pumps = parts.filter(part => part.points.has('run'));
  const others = parts.flatMap(part => [...part.points.values()]).filter(value => value.point.endsWith('.position'));
  const rest = [...own.values(), ...others].filter(value => value !== level).slice(0, PLAIN_MAX);
  const middle = Math.max(170, 20 + pumps.length * 56);
  return (
    <Tags
      drawn={drawn}
      from={middle + 20 + Math.ceil(rest.length / 4) * 48}
      placed={[...own.keys(), ...others.map(value => value.point)]}
    >
      <Tank x={10} y={10} width={150} height={middle - 14} level={level} />
      <Tag x={28} y={middle - 60} width={114} value={level} wrong={level && wrong.get(level.point)} />
      {pumps.map((pump, index) => (
        <Pump key={pump.key} x={210} y={38 + index * 56} part={pump} room={240} wrong={wrong} />
      ))}
      <Rest values={rest} from={middle + 12} wrong={wrong} />
    </Tags>
  );
}

/** What nobody has drawn yet: its values, side by side. */
export function Plain({ drawn }: { drawn: Drawn }) {
  const values = (drawn.facility.values ?? []).filter(value => value.kind !== 'counter').slice(0, PLAIN_MAX);
  return (
    <Tags drawn={drawn} from={10 + Math.ceil(values.length / 4) * 48} placed={values.map(value => value.point)}>
      <Rest values={values} from={10} wrong={drawn.wrong} />
    </Tags>
  );
}

function Rest({ values, from, wrong }: { values: readonly Value[]; from: number; wrong: Drawn['wrong'] }) {
  return (
    <>
      {values.map((value, index) => (
        <Tag
          key={value.point}
          x={10 + (index % 4) * 117}
          y={from + Math.floor(index / 4) * 48}
          width={109}
          value={value}
          wrong={wrong.get(value.point)}
        />
      ))}
    </>
  );
}
