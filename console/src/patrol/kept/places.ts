/**
 * Photos of the places of a round's points, for a cellar without network: fetched one after the other in the background,
 * each once, and kept as long as a round on the phone has it.
 */

import { api, given } from '../../api/client';
import { Failed } from '../../api/problem';
import type { RoundOut } from '../../api/schema';
import { get, keepSaid, keysOf, remove } from './database';

/** Of all together; those of the points that come last on a route are left out beyond. */
export const PLACES_BYTES_MAX = 40_000_000;
const PATIENCE_MS = 60_000;
const PREFIX = 'place/';

type Wanted = { readonly sha256: string; readonly site: string; readonly facility: string };

/** In the order they are walked, as many as may lie on the phone. Pure. */
export function wantedOf(rounds: readonly RoundOut[], bytes_max: number): Wanted[] {
  const found = new Map<string, Wanted>();
  let bytes = 0;
  for (const { site, stops } of rounds)
    for (const { stop, place_photo } of stops) {
      // A round that an older page kept says nothing of photos.
      if (!place_photo || found.has(place_photo.sha256)) continue;
      bytes += place_photo.bytes;
      if (bytes > bytes_max) return [...found.values()];
      found.set(place_photo.sha256, { sha256: place_photo.sha256, site, facility: stop.facility });
    }
  return [...found.values()];
}

export class Places {
  readonly #changed: (kept: ReadonlySet<string>) => void;
  readonly #absent = new Set<string>();
  #kept: ReadonlySet<string> = new Set();
  #rounds: readonly RoundOut[] = [];
  #gathering = false;

  constructor(changed: (kept: ReadonlySet<string>) => void) {
    this.#changed = changed;
  }

  async open(): Promise<void> {
    const keys = await keysOf('said');
    this.#have(new Set(keys.filter(each => each.startsWith(PREFIX)).map(each => each.slice(PREFIX.length))));
  }

  /** Nobody waits for it, and a round is walked without; what could not be fetched is tried with the next reading. */
  want(rounds: readonly RoundOut[]): void {
    this.#rounds = rounds;
    this.#absent.clear();
    if (this.#gathering) return;
    this.#gathering = true;
    this.#gather()
      .catch(() => undefined)
      .finally(() => {
        this.#gathering = false;
      });
  }

  async #gather(): Promise<void> {
    for (;;) {
      const wanted = wantedOf(this.#rounds, PLACES_BYTES_MAX);
      const needed = new Set(wanted.map(each => each.sha256));
      for (const sha256 of this.#kept) if (!needed.has(sha256)) await this.#forget(sha256);
      const next = wanted.find(each => !this.#kept.has(each.sha256) && !this.#absent.has(each.sha256));
      if (next === undefined) return;
      await this.#fetch(next);
    }
  }

  async #fetch({ sha256, site, facility }: Wanted): Promise<void> {
    try {
      const path = { site, facility, sha256 };
      const asked = { params: { path }, parseAs: 'blob' as const, signal: AbortSignal.timeout(PATIENCE_MS) };
      const picture = await given(api.GET('/api/v1/facilities/{site}/{facility}/place-photo/{sha256}', asked));
      await keepSaid(PREFIX + sha256, picture);
      this.#have(new Set([...this.#kept, sha256]));
    } catch (error) {
      if (!(error instanceof Failed) || (error.status !== 404 && error.status !== 500)) throw error;
      this.#absent.add(sha256); // another came in its place meanwhile, or the service cannot give this one: on with the next
    }
  }

  async #forget(sha256: string): Promise<void> {
    await remove('said', PREFIX + sha256);
    this.#have(new Set([...this.#kept].filter(each => each !== sha256)));
  }

  #have(kept: ReadonlySet<string>): void {
    this.#kept = kept;
    this.#changed(kept);
  }
}

export async function pictureOfPlace(sha256: string): Promise<Blob | null> {
  return ((await get('said', PREFIX + sha256)) as Blob | undefined) ?? null;
}
