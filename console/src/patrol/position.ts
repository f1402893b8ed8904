/**
 * Where the phone says it is, while a guard scans: asked for, never waited for, and never without him knowing (the browser
 * asks). In a cellar there is none, and that is no fault of his.
 */

import { useEffect } from 'react';
import type { PositionIn } from '../api/schema';

/** A fix that is older or younger than the scan by more says where he was, not where he scanned. */
const NEAR_MS = 60_000;

let last: { readonly position: PositionIn; readonly at_ms: number } | null = null;

export function positionNear(at_ms: number): PositionIn | null {
  return last !== null && Math.abs(at_ms - last.at_ms) <= NEAR_MS ? last.position : null;
}

/** Until what it returns is called; who does not allow it is not asked again by us. */
export function watchPosition(): (() => void) | undefined {
  if (navigator.geolocation === undefined) return undefined;
  const watch = navigator.geolocation.watchPosition(
    ({ coords }) => {
      const { latitude, longitude, accuracy } = coords;
      // Our own clock, as the scan's: a satellite's may differ from it by minutes.
      last = { position: { latitude, longitude, accuracy_m: Math.min(accuracy, 100_000) }, at_ms: Date.now() };
    },
    () => undefined,
    { enableHighAccuracy: true, maximumAge: 10_000 },
  );
  return () => navigator.geolocation.clearWatch(watch);
}

/** While `wanted`. */
export function useWatchedPosition(wanted: boolean): void {
  useEffect(() => (wanted ? watchPosition() : undefined), [wanted]);
}
