/** Where each point of a round stands, by what the service said and what lies on the phone. Pure. */

import type { RoundOut, RoundStop } from '../api/schema';
import type { Known } from './kept/patrol';
import type { Draft, VisitEntry } from './kept/shapes';

export type StopState = 'open' | 'begun' | 'done' | 'defective';
export type Standing = {
  readonly stop: RoundStop;
  readonly state: StopState;
  readonly entry: VisitEntry | null;
  readonly draft: Draft | null;
};

export function standings(round: RoundOut, known: Pick<Known, 'entries' | 'drafts' | 'me'>): Standing[] {
  const visits = known.entries.filter((each): each is VisitEntry => each.kind === 'visit' && each.round === round.id);
  return round.stops.map(stop => {
    const { facility } = stop.stop;
    const own = visits.filter(each => each.facility === facility);
    const entry = own.sort((one, other) => other.savedAt_ms - one.savedAt_ms)[0] ?? null;
    const draft =
      known.drafts.find(
        each => each.round === round.id && each.facility === facility && each.person === known.me?.person.id,
      ) ?? null;
    const done = entry !== null || stop.visited;
    const failed = entry?.answer?.outcome === 'defective';
    return { stop, entry, draft, state: failed ? 'defective' : done ? 'done' : draft === null ? 'open' : 'begun' };
  });
}

export function nextOf(all: readonly Standing[]): Standing | null {
  return all.find(each => each.state === 'begun') ?? all.find(each => each.state === 'open') ?? null;
}

export function isDone(standing: Standing): boolean {
  return standing.state === 'done' || standing.state === 'defective';
}

/** Whether he ended it on this phone, sent or not; what somebody else ended here, or was refused, ended nothing. */
export function isEnded(round: number | null, { entries, me }: Pick<Known, 'entries' | 'me'>): boolean {
  return entries.some(
    each => each.kind === 'finish' && each.round === round && each.person === me?.person.id && each.state !== 'refused',
  );
}

/** Points of an ordered route that are left out by going to this one. */
export function passedOver(round: RoundOut, all: readonly Standing[], facility: string): number {
  if (!round.ordered) return 0;
  const here = all.findIndex(each => each.stop.stop.facility === facility);
  return all.slice(0, here).filter(each => !isDone(each)).length;
}
