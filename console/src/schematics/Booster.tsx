import type { Drawn } from './points';
import { Pipe, Pump, Tag, Tank } from './shapes';
import { Tags } from './Tags';

/** Tank, pumps side by side, and the pressure on both sides of them. */
export function Booster({ drawn }: { drawn: Drawn }) {
  const { own, parts, wrong } = drawn;
  const pumps = parts.filter(part => part.kind === 'pump');
  const sump = parts.filter(part => part.kind === 'sump_pump');
  const at = (key: string) => ({ value: own.get(key), wrong: wrong.get(key) });
  const top = 70;
  const bottom = top + Math.max(pumps.length, 3) * 62;
  return (
    <Tags
      drawn={drawn}
      from={bottom + 40 + Math.ceil(sump.length / 2) * 56}
      placed={['outlet_pressure', 'inlet_pressure', 'tank_level', 'flow_rate']}
    >
      <Pipe
        d={`M66 52V${top + 14}M110 ${bottom - 34}H150M150 ${top + 20}V${bottom - 34}M452 ${top + (pumps.length - 1) * 62 + 20}V56`}
      />
      {pumps.map((pump, index) => {
        const y = top + 20 + index * 62;
        return (
          <g key={pump.key}>
            <Pipe d={`M150 ${y}H452`} />
            <rect className="drawn-ground" x={206} y={y - 22} width={92} height={44} />
            <Pump x={182} y={y} part={pump} room={84} wrong={wrong} />
            <Tag x={296} y={y - 20} width={70} {...of(pump.points.get('vfd_frequency'), wrong)} />
            <Tag x={370} y={y - 20} width={74} {...of(pump.points.get('motor_current'), wrong)} />
          </g>
        );
      })}
      <Tank x={22} y={top + 14} width={88} height={bottom - top - 34} level={own.get('tank_level')} />
      <Tag x={16} y={bottom - 14} width={100} {...at('tank_level')} />
      <Tag x={16} y={12} {...at('inlet_pressure')} />
      <Tag x={234} y={12} {...at('flow_rate')} />
      <Tag x={354} y={12} {...at('outlet_pressure')} />
      {sump.map((pump, index) => (
        <Pump
          key={pump.key}
          x={182 + (index % 2) * 150}
          y={bottom + 50 + Math.floor(index / 2) * 52}
          part={pump}
          room={100}
          wrong={wrong}
        />
      ))}
    </Tags>
  );
}

export const of = (value: Parameters<typeof Tag>[0]['value'], wrong: Drawn['wrong']) => ({
  value,
  wrong: value && wrong.get(value.point),
});
