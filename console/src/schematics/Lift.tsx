import { isDoubtful } from '../estate/values';
import { useWords } from '../words/words';
import type { Drawn } from './points';
import { Alarmed, Tag } from './shapes';
import { Tags } from './Tags';

const FLOOR = 56;
/** The car's own floor, and two to each side. */
const FLOORS = [2, 1, 0, -1, -2] as const;

/** The part of the shaft around the car: where it is, which way it goes, and its doors. */
export function Lift({ drawn }: { drawn: Drawn }) {
  const { t } = useWords();
  const { own, wrong } = drawn;
  const floor = own.get('current_floor');
  const at = (key: string) => ({ value: own.get(key), wrong: wrong.get(key) });
  const known = floor && !isDoubtful(floor) && typeof floor.value === 'number';
  const here = known ? Number(floor.value) : null;
  const first = [...wrong.values()][0];
  const direction = own.get('car_direction')?.value;
  const open = own.get('door_state')?.value !== 'closed';
  const middle = 10 + 2 * FLOOR;
  return (
    <Tags
      drawn={drawn}
      from={10 + FLOORS.length * FLOOR + 12}
      placed={[
        'service_mode',
        'door_state',
        'speed',
        'occupied',
        'in_door_zone',
        'car_alarm_button',
        'safety_chain_open',
        'brake_fault',
      ]}
    >
      <rect className="shaft" x={70} y={10} width={130} height={FLOORS.length * FLOOR} />
      {FLOORS.map((up, index) => (
        <g key={up}>
          <path className="floor" d={`M60 ${10 + (index + 1) * FLOOR}H200`} />
          <text className="floor-name" x={52} y={10 + index * FLOOR + FLOOR / 2 + 6} textAnchor="end">
            {here === null ? '' : floorName(here, up)}
          </text>
        </g>
      ))}
      <path className="rope" d={`M135 10V${middle}`} />
      <g className={known ? 'car' : 'car car-doubtful'}>
        <rect
          className={first ? `drawn-ring drawn-${first}` : ''}
          x={86}
          y={middle + 3}
          width={98}
          height={FLOOR - 6}
          rx={3}
        />
        <path
          className="car-door"
          d={open ? `M98 ${middle + 3}v${FLOOR - 6}M172 ${middle + 3}v${FLOOR - 6}` : `M135 ${middle + 3}v${FLOOR - 6}`}
        />
        <text className="car-floor" x={open ? 135 : 112} y={middle + FLOOR / 2 + 8} textAnchor="middle">
          {here ?? '?'}
        </text>
        {direction === 'up' && <path className="car-way" d={`M210 ${middle + 36}l10 -18l10 18z`} />}
        {direction === 'down' && <path className="car-way" d={`M210 ${middle + 20}l10 18l10 -18z`} />}
        {!known && (
          <text className="tag-old" x={135} y={middle - 8} textAnchor="middle">
            {t('draw.unknown')}
          </text>
        )}
      </g>
      {first && <Alarmed x={66} y={middle - 2} priority={first} />}
      {(['service_mode', 'door_state', 'speed', 'occupied', 'car_alarm_button', 'safety_chain_open'] as const).map(
        (key, index) => (
          <Tag key={key} x={244} y={10 + index * 47} width={226} {...at(key)} />
        ),
      )}
    </Tags>
  );
}

/** There is no floor 0: below 1 is -1. */
function floorName(here: number, up: number): string {
  const there = here + up;
  return String(here > 0 && there <= 0 ? there - 1 : here < 0 && there >= 0 ? there + 1 : there);
}
