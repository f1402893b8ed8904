import type { ReactNode } from 'react';
import { useWords } from '../words/words';
import type { Drawn } from './points';
import { Tag } from './shapes';

const WIDTH = 480;
/** What every room has and every drawing shows, if it is measured. */
const ROOM = [
  'room_temp',
  'room_humidity',
  'machine_room_temp',
  'flood',
  'smoke',
  'door_open',
  'mains_ok',
  'power_a_ok',
  'power_b_ok',
];

/**
 * A drawing with the room's own values under it, and everything that is abnormal and has no place in it: what is wrong is
 * never left out because nobody drew it.
 */
export function Tags({
  drawn,
  from,
  placed,
  children,
}: {
  drawn: Drawn;
  from: number;
  placed: readonly string[];
  children?: ReactNode;
}) {
  const { of } = useWords();
  const { own, parts, wrong, facility } = drawn;
  const inParts = new Set(parts.flatMap(part => [...part.points.values()].map(value => value.point)));
  const left = (facility.values ?? []).filter(value => {
    if (placed.includes(value.point)) return false;
    return wrong.has(value.point) || (!inParts.has(value.point) && ROOM.includes(value.point) && own.has(value.point));
  });
  const height = from + Math.ceil(left.length / 4) * 48 + 8;
  return (
    <svg className="drawing" viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={of(facility.name)}>
      {children}
      {left.map((value, index) => (
        <Tag
          key={value.point}
          x={10 + (index % 4) * 117}
          y={from + Math.floor(index / 4) * 48}
          width={109}
          value={value}
          wrong={wrong.get(value.point)}
          whole
        />
      ))}
    </svg>
  );
}
