/**
 * Heights at which labels stand so that none covers another: each as near to its own line as the others let it, in the
 * order of their lines, between `top` and `bottom`. Where there is no room for all, they are drawn closer together.
 */
export function spread(wanted: readonly number[], gap: number, top: number, bottom: number): readonly number[] {
  if (wanted.length === 0) return [];
  const apart = Math.min(gap, wanted.length > 1 ? (bottom - top) / (wanted.length - 1) : gap);
  const order = wanted.map((_, index) => index).sort((one, other) => (wanted[one] ?? 0) - (wanted[other] ?? 0));
  const found = [...wanted];
  let least = top;
  for (const index of order) {
    found[index] = Math.max(wanted[index] ?? 0, least);
    least = (found[index] ?? 0) + apart;
  }
  let most = bottom;
  for (const index of order.reverse()) {
    found[index] = Math.min(found[index] ?? 0, most);
    most = (found[index] ?? 0) - apart;
  }
  return found;
}
