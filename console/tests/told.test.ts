import { expect, test } from 'vitest';
import { lines, type Speech } from '../src/pages/audit-log/told';

const WORDS: Readonly<Record<string, string>> = {
  'asked.note': 'Note',
  'asked.until': 'Until',
  'asked.memberships': 'Sites and roles',
  'asked.site': 'Site',
  'asked.role': 'Role',
  'role.auditor': 'Auditor',
  'role.duty_engineer': 'Duty engineer',
};
const SPEECH: Speech = {
  name: (section, key) => WORDS[`${section}.${key}`] ?? key,
  moment: at => `at ${at.slice(11, 16)}`,
  yes: 'yes',
  no: 'no',
  nothing: 'none',
  comma: ', ',
  language: 'en',
};

test('a change says from what to what, in words', () => {
  expect(lines({ before: [], after: ['auditor', 'duty_engineer'] }, SPEECH)).toEqual([
    { key: 'role', name: 'Role', before: 'none', value: 'Auditor, Duty engineer' },
  ]);
});

test('what members were before stands with each of them that is known', () => {
  expect(lines({ value: 0.32, note: 'x', before: { value: 0.3 } }, SPEECH)).toEqual([
    { key: 'value', name: 'value', before: '0.3', value: '0.32' },
    { key: 'note', name: 'Note', value: 'x' },
  ]);
  expect(lines({ value: null, before: { value: '8h' } }, SPEECH)[0]).toMatchObject({ before: '8h', value: 'none' });
});

test('members stay apart while no word has come and all have one name', () => {
  const wordless = { ...SPEECH, name: () => '…' };
  const told = lines({ note: 'x', until: 'y', before: { site: 'z' } }, wordless);
  expect(told.map(each => each.name)).toEqual(['…', '…', '…']);
  expect(new Set(told.map(each => each.key)).size).toBe(3);
});

test('what was before is told beside a request of which only the beginning, or nothing, was kept', () => {
  expect(lines({ beginning: '{"name": "setp', before: { value: 0.3 } }, SPEECH)).toEqual([
    { key: 'beginning', name: 'beginning', value: '{"name": "setp' },
    { key: 'value', name: 'value', before: '0.3' },
  ]);
  expect(lines({ before: { value: '8h' } }, SPEECH)).toEqual([{ key: 'value', name: 'value', before: '8h' }]);
});

test('a deed says what was asked for, member by member', () => {
  const asked = { note: null, until: '2026-03-01T12:30:00Z', one_shot: true, name: { zh: '泵', en: 'Pump' } };
  expect(lines(asked, SPEECH).map(each => `${each.name}: ${each.value}`)).toEqual([
    'Note: none',
    'Until: at 12:30',
    'one_shot: yes',
    'name: Pump',
  ]);
});

test('what lies deeper is said in one line, and a long list is cut with its count', () => {
  const memberships = [{ site: 'garden', role: 'auditor' }];
  expect(lines({ memberships }, SPEECH)).toEqual([
    { key: 'memberships', name: 'Sites and roles', value: '(Site garden, Role Auditor)' },
  ]);
  expect(lines({ codes: Array.from({ length: 11 }, (_, at) => at) }, SPEECH)[0]?.value).toMatch(/7 \+3$/);
});

test('a member or a key may be called like what every object inherits', () => {
  expect(lines({ constructor: 'x', meta: { toString: 'y' } }, SPEECH).map(each => each.value)).toEqual([
    'x',
    '(toString y)',
  ]);
});
