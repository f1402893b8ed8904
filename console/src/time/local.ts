/** Moments as `<input type="datetime-local">` writes them: this machine's own time, to the minute. */

const two = (number: number) => String(number).padStart(2, '0');

export function toLocal(at_ms: number): string {
  const at = new Date(at_ms);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** RFC 3339, or null for what is no moment. */
export function fromLocal(written: string): string | null {
  const at = new Date(written);
  return written === '' || Number.isNaN(at.getTime()) ? null : at.toISOString();
}
