/** What lies on the phone. Names of places are kept with it, so that it can be told without the round it belongs to. */

import type { PhotoOf, PositionIn, VisitAnswer, VisitIn } from '../../api/schema';
import type { Means } from '../../scanning/codes';
import type { Answers } from '../answers';

export type Name = { readonly zh: string; readonly en: string };

/** `refused`: it will not be taken as it is, and stays with the service's reason. */
export type EntryState = 'waiting' | 'sent' | 'refused';

type Kept = {
  readonly id: string;
  /** Who did it: sent in his name only. */
  readonly person: number;
  readonly personName: string;
  readonly site: string;
  readonly name: Name;
  readonly savedAt_ms: number;
  readonly state: EntryState;
  readonly why: Name | null;
};

export type VisitEntry = Kept & {
  readonly kind: 'visit';
  readonly round: number | null;
  readonly facility: string | null;
  readonly visit: VisitIn;
  readonly answer: VisitAnswer | null;
};

/** `unsent`: told when it was sent for the first time; the same deed sent again says the same. */
export type FinishEntry = Kept & { readonly kind: 'finish'; readonly round: number; readonly unsent: number | null };

export type Entry = VisitEntry | FinishEntry;

export type Photo = {
  readonly sha256: string;
  readonly site: string;
  readonly person: number;
  readonly savedAt_ms: number;
  readonly state: EntryState;
  readonly why: Name | null;
  /** Gone once it has arrived. */
  readonly picture: Blob | null;
};

/** A visit under way, as it was left. */
export type Draft = {
  readonly key: string;
  readonly id: string;
  readonly person: number;
  readonly round: number;
  readonly facility: string;
  readonly tag: string;
  readonly means: Means;
  readonly scannedAt_ms: number;
  readonly position: PositionIn | null;
  readonly answers: Answers;
  readonly photos: readonly PhotoOf[];
  readonly note: string;
};

export function draftKey(round: number, facility: string): string {
  return `${round}/${facility}`;
}
