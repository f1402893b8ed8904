/** A tile is read best a little wider than high. */
const SHAPE = 1.9;

/** How many columns make tiles of the best shape where groups begin on lines of their own, and how many lines that is. */
export function fitting(
  counts: readonly number[],
  width: number,
  height: number,
): { readonly columns: number; readonly lines: number } {
  let best = { columns: 1, lines: counts.reduce((sum, count) => sum + count, 0) };
  let least = Number.POSITIVE_INFINITY;
  for (let columns = 1; columns <= Math.max(1, ...counts); columns++) {
    const lines = counts.reduce((sum, count) => sum + Math.ceil(count / columns), 0);
    const off = Math.abs(Math.log(width / columns / (height / Math.max(1, lines)) / SHAPE));
    if (off < least) {
      least = off;
      best = { columns, lines };
    }
  }
  return best;
}
