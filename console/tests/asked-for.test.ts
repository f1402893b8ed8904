import { expect, test } from 'vitest';
import { askedFor } from '../src/pages/alarms/asked-for';

const piece = { part: null, maker: '淮海', model: 'MFZ/ABC4', ends_on: '2026-03-05' };
const plan = {
  plan: 'night',
  from: '2026-03-01T14:00Z',
  until: '2026-03-01T16:00Z',
  state: 'missed',
  stops: 8,
  visited: 0,
};

test('the newest entry that names pieces or rounds is what is told', () => {
  const raised = { seq: 1, at: '2026-03-01T00:00Z', detail: { pieces: [piece], more_pieces: 0, more_facilities: 3 } };
  const again = {
    seq: 4,
    at: '2026-03-02T00:00Z',
    detail: { pieces: [piece, { ...piece, ends_on: '2026-03-07' }], more_pieces: 2 },
  };
  const acknowledged = { seq: 5, at: '2026-03-03T00:00Z', detail: {} };
  const told = askedFor([acknowledged, raised, again]);
  expect(told?.pieces.map(each => each.ends_on)).toEqual(['2026-03-05', '2026-03-07']);
  expect([told?.more, told?.more_facilities, told?.at]).toEqual([2, 0, '2026-03-02T00:00Z']);
  const paper = { kind: 'water_quality_test', number: 'WQ-117', ends_on: '2026-03-05' };
  const ended = { seq: 1, at: '', detail: { certificates: [paper, { kind: 3 }], more_certificates: 4 } };
  expect([askedFor([ended])?.papers, askedFor([ended])?.more]).toEqual([[paper], 4]);
  expect(askedFor([{ seq: 1, at: '', detail: { rule: 'round_missed', plans: [plan] } }])?.plans).toEqual([plan]);
});

test('an alarm of a rule, and what is not as it should be, say nothing', () => {
  expect(askedFor([{ seq: 1, at: '', detail: { values: { a: 1 } } }])).toBeNull();
  expect(askedFor([{ seq: 1, at: '', detail: { pieces: 'x', plans: [{ plan: 3 }, null] } }])).toBeNull();
});
