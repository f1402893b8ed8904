/**
 * What waits to be sent. Every entry has an id that the phone made, and the service keeps each id once: whatever was not
 * answered is sent again, as often as it takes. Nothing leaves the phone unanswered, and nothing refused is thrown away.
 */

import { api, given, setCsrf } from '../../api/client';
import { Failed } from '../../api/problem';
import type { Me, VisitAnswer } from '../../api/schema';
import { CATALOGUE } from '../../words/catalogue';
import { TEXTS } from '../texts';
import { all, get, keepSaid, put, remove, write } from './database';
import type { Entry, FinishEntry, Name, Photo, VisitEntry } from './shapes';

/** So many visits are sent at once; with two hundred answers each they stay below what a body may have. */
const BATCH_MAX = 10;
/** A request that hangs in a cellar would keep all that waits behind it: it is given up, and sent again. */
const PATIENCE_MS = 2 * 60 * 1000;
const PHOTO_PATIENCE_MS = 5 * 60 * 1000;
/** The service has no time or no room: it will not take the next photo either. */
const UNREADY = new Set([429, 503, 507]);
/** What has arrived is shown for so long. */
const SHOWN_MS = 3 * 24 * 3600 * 1000;

export type Sending = 'idle' | 'sending' | 'offline' | 'signed_out' | 'waiting';

const bothLanguages = (zh: string, en: string): Name => ({ zh, en });
const UNKNOWN = bothLanguages(CATALOGUE['problem.unknown'].zh, CATALOGUE['problem.unknown'].en);

/** Why something was not taken, in both languages: it may be read later, by another. */
export function whyOf(failed: Failed): Name {
  const { problem } = failed;
  const said = (language: keyof Name, what: string) => {
    const faults = (problem?.errors ?? []).map(each => each.text[language]);
    return faults.length === 0 ? what : `${what} (${faults.join('; ')})`;
  };
  const zh = problem?.text?.zh ?? problem?.title_zh ?? UNKNOWN.zh;
  const en = problem?.text?.en ?? problem?.title ?? UNKNOWN.en;
  return bothLanguages(said('zh', zh), said('en', en));
}

/** Sending the same again may go better: nobody answered, or the service has too much to do. */
export function passes(failed: Failed): boolean {
  return failed.lost || failed.status === 429 || (failed.status ?? 0) >= 500;
}

function settled(entry: VisitEntry, answer: VisitAnswer): VisitEntry {
  if (answer.result === 'later') return { ...entry, why: bothLanguages(TEXTS.later.zh, TEXTS.later.en) };
  if (answer.result === 'refused') {
    const why = answer.why ?? '';
    return { ...entry, state: 'refused', answer, why: why === '' ? UNKNOWN : bothLanguages(why, why) };
  }
  return { ...entry, state: 'sent', answer, why: null };
}

export class SignedOut extends Error {}

/** One pass over everything of this person that waits. Throws Failed when it is to be tried again, SignedOut when not. */
export class Sender {
  readonly #phone: string;
  readonly #changed: () => void;

  constructor(phone: string, changed: () => void) {
    this.#phone = phone;
    this.#changed = changed;
  }

  async pass(): Promise<void> {
    const me = await this.#signIn();
    const mine = (await all('outbox'))
      .filter(each => each.person === me.person.id && each.state === 'waiting')
      .sort((one, other) => one.savedAt_ms - other.savedAt_ms);
    const visits = mine.filter(each => each.kind === 'visit');
    for (const site of new Set(visits.map(each => each.site))) {
      const there = visits.filter(each => each.site === site);
      for (let begin = 0; begin < there.length; begin += BATCH_MAX)
        await this.#visits(site, there.slice(begin, begin + BATCH_MAX));
    }
    const photos = (await all('photos')).filter(each => each.person === me.person.id && each.state === 'waiting');
    for (const finish of mine.filter(each => each.kind === 'finish')) await this.#finish(finish, me.person.id);
    // Last, each for itself: one that never arrives holds nothing else back, and says why it waits.
    let lost: Failed | null = null;
    for (const photo of photos) {
      const failed = await this.#photo(photo);
      lost = failed ?? lost;
      if (UNREADY.has(failed?.status ?? 0)) break;
      if (await this.#hasNew(me.person.id, mine)) break;
    }
    if (lost !== null) throw lost;
  }

  /** Saved while photos were being sent: the next pass sends it first. */
  async #hasNew(person: number, known: readonly Entry[]): Promise<boolean> {
    const ids = new Set(known.map(each => each.id));
    return (await all('outbox')).some(each => each.person === person && each.state === 'waiting' && !ids.has(each.id));
  }

  async #signIn(): Promise<Me> {
    try {
      const me = await given(api.GET('/api/v1/session', { signal: AbortSignal.timeout(PATIENCE_MS) }));
      setCsrf(me.csrf);
      await keepSaid('me', me);
      return me;
    } catch (error) {
      if (error instanceof Failed && error.status === 401) throw new SignedOut();
      throw error;
    }
  }

  async #visits(site: string, entries: readonly VisitEntry[]): Promise<void> {
    try {
      const answer = await given(
        api.POST('/api/v1/inspections', {
          body: {
            site,
            phone: this.#phone,
            sent_at: new Date().toISOString(),
            visits: entries.map(each => each.visit),
          },
          signal: AbortSignal.timeout(PATIENCE_MS),
        }),
      );
      const settling = entries.map((entry, at) => {
        const own = answer.items[at];
        return own === undefined ? entry : settled(entry, own);
      });
      await write(['outbox'], of => {
        for (const each of settling) of('outbox').put(each);
      });
      this.#changed();
      if (settling.some(each => each.state === 'waiting')) throw new Failed(null, null);
    } catch (error) {
      if (!(error instanceof Failed) || passes(error) || error.status === 401) throw error;
      // The batch as a whole: whoever is alone in it is meant.
      if (entries.length > 1) {
        for (const each of entries) await this.#visits(site, [each]);
        return;
      }
      for (const each of entries) await this.#refuse(each, error);
    }
  }

  /** Why it is to be tried again; null: it need not be. */
  async #photo(photo: Photo): Promise<Failed | null> {
    if (photo.picture === null) return null;
    const picture = photo.picture;
    try {
      await given(
        api.POST('/api/v1/inspections/photos', {
          params: { query: { site: photo.site } },
          body: picture as unknown as string, // the schema's word for bytes
          bodySerializer: () => picture,
          headers: { 'Content-Type': picture.type },
          signal: AbortSignal.timeout(PHOTO_PATIENCE_MS),
        }),
      );
      await put('photos', { ...photo, state: 'sent', why: null, picture: null });
    } catch (error) {
      if (!(error instanceof Failed) || error.status === 401) throw error;
      const why = error.lost ? bothLanguages(TEXTS.waiting.zh, TEXTS.waiting.en) : whyOf(error);
      const state = passes(error) ? 'waiting' : 'refused';
      // The whole picture goes to the phone's store each time: not for a failure that it tells of already.
      if (state !== photo.state || JSON.stringify(why) !== JSON.stringify(photo.why))
        await put('photos', { ...photo, state, why });
      this.#changed();
      return passes(error) ? error : null;
    }
    this.#changed();
    return null;
  }

  async #finish(entry: FinishEntry, person: number): Promise<void> {
    const unsent = entry.unsent ?? (await this.#left(entry.round, person));
    if (entry.unsent === null) await put('outbox', { ...entry, unsent });
    try {
      await given(
        api.POST('/api/v1/inspection-rounds/{round}/finish', {
          params: { path: { round: entry.round } },
          body: { unsent },
          headers: { 'Idempotency-Key': entry.id },
          signal: AbortSignal.timeout(PATIENCE_MS),
        }),
      );
      await put('outbox', { ...entry, unsent, state: 'sent', why: null });
      this.#changed();
    } catch (error) {
      if (!(error instanceof Failed) || passes(error) || error.status === 401) throw error;
      await this.#refuse(entry, error);
    }
  }

  async #left(round: number, person: number): Promise<number> {
    const kept = await all('outbox');
    return kept.filter(
      each => each.kind === 'visit' && each.round === round && each.person === person && each.state !== 'sent',
    ).length;
  }

  async #refuse(entry: Entry, error: Failed): Promise<void> {
    await put('outbox', { ...entry, state: 'refused', why: whyOf(error) });
    this.#changed();
  }
}

/** A person wants it tried once more as it is: the fault may have been with the service. */
export async function tryAgain(id: string): Promise<void> {
  const entry = await get('outbox', id);
  if (entry !== undefined && entry.state === 'refused') await put('outbox', { ...entry, state: 'waiting' });
  const photo = await get('photos', id);
  if (photo !== undefined && photo.state === 'refused') await put('photos', { ...photo, state: 'waiting' });
}

/** Forgets what has long arrived, and nothing else. */
export async function tidy(now_ms: number): Promise<void> {
  const old = (each: Entry | Photo) => each.state === 'sent' && now_ms - each.savedAt_ms > SHOWN_MS;
  for (const entry of (await all('outbox')).filter(old)) await remove('outbox', entry.id);
  for (const photo of (await all('photos')).filter(old)) await remove('photos', photo.sha256);
}
