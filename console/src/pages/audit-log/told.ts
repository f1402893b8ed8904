/**
 * What was asked for, line by line: a member, its name, and what it was set to, or from what to what, or what it was. Two
 * members may have one name: while the words are on their way they all do.
 */
export type Line = { readonly key: string; readonly name: string; readonly value?: string; readonly before?: string };

export type Speech = {
  /** A word of the service, or the key itself. */
  readonly name: (section: string, key: string) => string;
  readonly moment: (at: string) => string;
  readonly yes: string;
  readonly no: string;
  readonly nothing: string;
  readonly comma: string;
  readonly language: 'zh' | 'en';
};

const ITEMS_MAX = 8;
/** Members whose values are words of the service, by the sections that may have them. */
const SECTIONS: ReadonlyMap<string, readonly string[]> = new Map([
  ['role', ['role']],
  ['way', ['sign_in_way']],
  ['rights', ['right']],
  ['before', ['role']],
  ['after', ['role']],
  ['priority', ['priority']],
  ['kind', ['permit_kind', 'certificate_kind']],
  ['work_class', ['work_class']],
  ['event_class', ['event_class']],
  ['period', ['check_period']],
  ['clock', ['work_order_clock']],
]);
const INSTANT = /^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:\d{2})$/;

export function lines(asked: Readonly<Record<string, unknown>>, speech: Speech): readonly Line[] {
  const { before, after, ...rest } = asked;
  const roles =
    after === undefined
      ? []
      : [
          {
            key: 'role',
            name: speech.name('asked', 'role'), // nothing else says before and after
            before: said('before', before, speech),
            value: said('after', after, speech),
          },
        ];
  const were = new Map(after === undefined && isObject(before) ? Object.entries(before) : []);
  return [
    ...roles,
    ...Object.entries(rest).map(([key, value]) => ({
      key,
      name: speech.name('asked', key),
      ...(were.has(key) && { before: said(key, were.get(key), speech) }),
      value: said(key, value, speech),
    })),
    // Of a long request only its beginning is kept, of files what they are: what gave way is told all the same.
    ...[...were]
      .filter(([key]) => !Object.hasOwn(rest, key))
      .map(([key, value]) => ({ key, name: speech.name('asked', key), before: said(key, value, speech) })),
  ];
}

const isObject = (one: unknown): one is object => typeof one === 'object' && one !== null;

function said(key: string, value: unknown, speech: Speech): string {
  if (value === null || value === undefined || value === '') return speech.nothing;
  if (typeof value === 'boolean') return value ? speech.yes : speech.no;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return INSTANT.test(value) ? speech.moment(value) : worded(key, value, speech);
  if (Array.isArray(value)) {
    if (value.length === 0) return speech.nothing;
    const told = value.slice(0, ITEMS_MAX).map(each => said(key, each, speech));
    return told.join(speech.comma) + (value.length > ITEMS_MAX ? ` +${value.length - ITEMS_MAX}` : '');
  }
  const members = Object.entries(value as object);
  const name = Object.fromEntries(members) as { zh?: unknown; en?: unknown };
  if (typeof name.zh === 'string' && members.every(([each]) => each === 'zh' || each === 'en'))
    return speech.language === 'en' && typeof name.en === 'string' ? name.en : name.zh;
  const inside = members.map(([each, one]) => `${speech.name('asked', each)} ${said(each, one, speech)}`);
  return `(${inside.join(speech.comma)})`;
}

function worded(key: string, value: string, speech: Speech): string {
  const found = (SECTIONS.get(key) ?? []).map(section => speech.name(section, value)).find(word => word !== value);
  return found ?? value;
}
