import { useServiceWords } from '../words/vocabulary';
import { of } from './Booster';
import type { Drawn } from './points';
import { Pipe, Pump, Tag } from './shapes';
import { Tags } from './Tags';

const ROW = 62;
const GROUPS = [
  { pumps: ['hydrant_pump', 'diesel_pump'], selector: 'hydrant_selector', pressure: 'hydrant_pressure' },
  { pumps: ['sprinkler_pump'], selector: 'sprinkler_selector', pressure: 'sprinkler_pressure' },
  { pumps: ['jockey_pump'], selector: 'jockey_selector', pressure: 'worst_point_static_pressure' },
] as const;

/** Hydrant, sprinkler and jockey pumps, each group with its selector and the pressure it keeps. */
export function FirePumps({ drawn }: { drawn: Drawn }) {
  const { own, parts, wrong } = drawn;
  const valves = parts.filter(part => part.kind === 'valve');
  let y = 12;
  const rows = GROUPS.map(group => {
    const pumps = parts.filter(part => (group.pumps as readonly string[]).includes(part.kind));
    const row = { ...group, pumps, y };
    y += Math.max(pumps.length, 1) * ROW + 16;
    return row;
  }).filter(row => row.pumps.length > 0 || own.has(row.pressure));
  const bottom = Math.max(...rows.map(row => row.y + Math.max(row.pumps.length, 1) * ROW), 20);
  const kept = rows.flatMap(row => [row.selector, row.pressure]);
  return (
    <Tags
      drawn={drawn}
      from={bottom + 20 + (valves.length > 0 ? 52 : 0)}
      placed={[...kept, ...valves.map(valve => `${valve.key}.position`)]}
    >
      {rows.map(row => (
        <Group key={row.selector} drawn={drawn} row={row} />
      ))}
      {valves.slice(0, 4).map((valve, index) => (
        <Tag
          key={valve.key}
          x={10 + index * 117}
          y={bottom + 14}
          width={109}
          {...of(valve.points.get('position'), wrong)}
        />
      ))}
    </Tags>
  );
}

type Row = { readonly pumps: Drawn['parts']; readonly selector: string; readonly pressure: string; readonly y: number };

function Group({ drawn: { own, wrong }, row }: { drawn: Drawn; row: Row }) {
  const { kind } = useServiceWords();
  const middle = row.y + (Math.max(row.pumps.length, 1) * ROW) / 2;
  const at = (key: string) => ({ value: own.get(key), wrong: wrong.get(key) });
  return (
    <g aria-label={kind(row.selector)}>
      {row.pumps.map((pump, index) => {
        const y = row.y + ROW / 2 + index * ROW;
        return (
          <g key={pump.key}>
            <Pipe d={`M132 ${y}H330V${middle}`} />
            <rect className="drawn-ground" x={186} y={y - 20} width={130} height={40} />
            <Pump x={162} y={y} part={pump} room={126} wrong={wrong} />
          </g>
        );
      })}
      <Pipe d={`M330 ${middle}H356`} />
      <Tag x={10} y={middle - 20} width={112} {...at(row.selector)} />
      <Tag x={356} y={middle - 20} width={116} {...at(row.pressure)} />
    </g>
  );
}
