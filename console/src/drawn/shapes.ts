import type { Priority } from '../api/schema';

/** Each priority has a shape of its own, so that nobody needs its colour: octagon, triangle, square, circle; 32 wide. */
export const SHAPES: Readonly<Record<Priority, string>> = {
  urgent: 'M10 2h12l8 8v12l-8 8H10l-8-8V10z',
  high: 'M16 1.5L31 30H1z',
  medium: 'M3 3h26v26H3z',
  low: 'M16 2a14 14 0 1 1 0 28a14 14 0 1 1 0-28z',
};
