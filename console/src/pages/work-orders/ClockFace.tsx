import { CheckOutlined, ClockCircleOutlined, PauseOutlined, WarningFilled } from '@ant-design/icons';
import type { ComponentType } from 'react';
import { useNow_ms } from '../../time/now';
import { duration } from '../../time/spoken';
import { useWords } from '../../words/words';
import { type ClockState, pressing, type Standing } from './clocks';
import type { Order } from './orders';

const SIGNS: Readonly<Record<Standing, ComponentType>> = {
  running: ClockCircleOutlined,
  missed: WarningFilled,
  standing_still: PauseOutlined,
  met: CheckOutlined,
  late: WarningFilled,
  void: CheckOutlined,
};
const SOON_MS = 10 * 60_000;

/** The one deadline of an order that matters now, running. A missed one is filled, and says so. */
export function PressingClock({ order }: { order: Order }) {
  const { t, language } = useWords();
  const now_ms = useNow_ms();
  const clock = pressing(order, now_ms);
  if (clock === null) return null;
  const values = { clock: t(`orders.clock_${clock.clock}`), time: duration(language, clock.left_ms) };
  return (
    <span className={clockClass(clock)}>
      <ClockSign standing={clock.standing} />
      <span className="clock-left">{t(`orders.short_${clock.standing}`, values)}</span>
    </span>
  );
}

export function clockClass(clock: ClockState): string {
  const soon = clock.standing === 'running' && clock.left_ms < SOON_MS ? ' clock-soon' : '';
  return `clock clock-${clock.standing}${soon}`;
}

export function ClockSign({ standing }: { standing: Standing }) {
  const Sign = SIGNS[standing];
  return (
    <span aria-hidden="true">
      <Sign />
    </span>
  );
}

export function ClockWords({ clock }: { clock: ClockState }) {
  const { t, language } = useWords();
  return (
    <strong className="clock-left">
      {t(`orders.clock_${clock.standing}`, { time: duration(language, clock.left_ms) })}
    </strong>
  );
}
