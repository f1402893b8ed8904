/** What is asked at a point, and what the answers amount to: inspection/judging.py on the phone. The service judges again. */

import type { ChecklistOut, ItemOut, RoundStop } from '../api/schema';

export type Answer = boolean | number | string;
export type Answers = Readonly<Record<string, Answer>>;

/** A follow-up stands under the item whose failing it follows from. */
export type Asked = { readonly item: ItemOut; readonly depth: number };

export function fits(item: ItemOut, answer: Answer): boolean {
  switch (item.answer) {
    case 'check':
      return typeof answer === 'boolean';
    case 'reading':
      return typeof answer === 'number' && Number.isFinite(answer);
    case 'choice':
      return item.choices.some(each => each.key === answer);
    case 'text':
      return typeof answer === 'string';
  }
}

export function fails(item: ItemOut, answer: Answer | undefined): boolean {
  if (answer === undefined || !fits(item, answer)) return false;
  if (item.answer === 'check') return answer === false;
  if (item.answer === 'choice') return item.choices.some(each => each.key === answer && each.fails);
  if (item.answer === 'text' || typeof answer !== 'number') return false;
  return (item.low !== null && answer < item.low) || (item.high !== null && answer > item.high);
}

function unfold(items: readonly ItemOut[], answers: Answers, depth: number): Asked[] {
  return items.flatMap(item => [
    { item, depth },
    // Follow-ups of one facility type only are told apart by the service, which knows the type.
    ...(fails(item, answers[item.key]) ? unfold(item.follow_up, answers, depth + 1) : []),
  ]);
}

/** In the order a person sees them; the stop names those that its facility's type is asked. */
export function asked(checklist: ChecklistOut, stop: RoundStop, answers: Answers): Asked[] {
  const wanted = new Set(stop.items);
  return unfold(
    checklist.items.filter(each => wanted.has(each.key)),
    answers,
    0,
  );
}

export function missing(all: readonly Asked[], answers: Answers): string[] {
  return all
    .filter(({ item }) => {
      const answer = answers[item.key];
      return answer === undefined ? !item.optional : !fits(item, answer);
    })
    .map(({ item }) => item.key);
}

/** Whether its photo is compulsory: drawn for today by the service, or because it failed. */
export function wantsPhoto(item: ItemOut, stop: RoundStop, answers: Answers): boolean {
  if (stop.photos.includes(item.key) || item.photo === 'always') return true;
  return item.photo !== 'never' && fails(item, answers[item.key]);
}

/** Every compulsory check that has no answer yet is in order. What failed stays failed; figures are read, not assumed. */
export function allWell(all: readonly Asked[], answers: Answers): Answers {
  const checks = all.filter(({ item }) => item.answer === 'check' && !item.optional && answers[item.key] === undefined);
  return { ...answers, ...Object.fromEntries(checks.map(({ item }) => [item.key, true])) };
}
