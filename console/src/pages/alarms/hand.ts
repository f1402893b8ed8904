import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { held, type Wanted } from './order';
import type { AlarmRow, Rows } from './rows';

/** A hand that has not moved for so long is not there: a mouse left on the table must not hide what is new. */
const ASLEEP_MS = 12_000;

/** Whether somebody's hand is on the list: a mouse over it, a finger on it, a key pressed in it. */
export function useHand(forced: boolean) {
  const [on, setOn] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const release = useCallback(() => {
    if (timer.current !== null) clearTimeout(timer.current);
    timer.current = null;
    setOn(false);
  }, []);
  const touch = useCallback(() => {
    if (timer.current !== null) clearTimeout(timer.current);
    timer.current = setTimeout(release, ASLEEP_MS);
    setOn(true);
  }, [release]);
  useEffect(() => release, [release]);
  const handlers = useMemo(
    () => ({ onPointerMove: touch, onPointerDown: touch, onWheel: touch, onKeyDown: touch, onPointerLeave: release }),
    [touch, release],
  );
  return { on: on || forced, touch, release, handlers };
}

/**
 * What the list shows: as it is now, or, under a hand, as it stood when the hand came, with how many wait to come in.
 * Whoever asks for something else (`wanted`, compared by identity) sees that at once, hand or not.
 */
export function useHeld(rows: Rows, arranged: readonly AlarmRow[], hand: boolean, wanted: Wanted) {
  const [before, setBefore] = useState<{ rows: readonly AlarmRow[]; wanted: Wanted } | null>(null);
  if (hand && before?.wanted !== wanted) setBefore({ rows: arranged, wanted });
  if (!hand && before !== null) setBefore(null);
  return useMemo(() => {
    if (before === null) return { rows: arranged, gone: NONE, waiting: 0 };
    const standing = held(before.rows, rows);
    const shown = new Set(before.rows.map(row => row.alarm.id));
    return { ...standing, waiting: arranged.filter(row => !shown.has(row.alarm.id)).length };
  }, [before, rows, arranged]);
}

const NONE: ReadonlySet<number> = new Set();
