/**
 * What the patrol page knows, and what a guard does with it. Everything is written to the phone first and shown from
 * there; the service is asked when it can be reached.
 */

import { api, deedKey, given, setCsrf } from '../../api/client';
import { Failed } from '../../api/problem';
import type { ChecklistOut, GuardOut, Me, PhotoOf, RoundLine, RoundOut, VisitIn } from '../../api/schema';
import { hashOf, type Means, sha256 } from '../../scanning/codes';
import { positionNear } from '../position';
import { all, keepSaid, keysOf, put, remove, said, write } from './database';
import { passes, Sender, type Sending, SignedOut, tidy, tryAgain } from './outbox';
import { Places } from './places';
import type { Draft, Entry, FinishEntry, Name, Photo, VisitEntry } from './shapes';
import { draftKey } from './shapes';

const PATIENCE_MS = [2_000, 5_000, 10_000, 20_000, 40_000, 60_000];
const DAY_MS = 24 * 3600 * 1000;
const CHECKED_OFTEN_MS = 30_000;

export type Known = {
  readonly ready: boolean;
  readonly me: Me | null;
  readonly signedOut: boolean;
  readonly lines: readonly RoundLine[];
  readonly readAt_ms: number | null;
  readonly rounds: readonly RoundOut[];
  readonly checklists: readonly ChecklistOut[];
  readonly entries: readonly Entry[];
  readonly photos: readonly Photo[];
  readonly drafts: readonly Draft[];
  /** Photos of places that lie on the phone, by their SHA-256. */
  readonly places: ReadonlySet<string>;
  readonly sending: Sending;
};

export class Patrol {
  known: Known = {
    ready: false,
    me: null,
    signedOut: false,
    lines: [],
    readAt_ms: null,
    rounds: [],
    checklists: [],
    entries: [],
    photos: [],
    drafts: [],
    places: new Set(),
    sending: 'idle',
  };
  readonly #listeners = new Set<() => void>();
  readonly #places = new Places(places => this.#tell({ places }));
  readonly #unwritten = new Map<string, Draft>();
  #phone = '';
  #pumping = false;
  #again = false;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly snapshot = (): Known => this.known;

  #tell(change: Partial<Known>): void {
    this.known = { ...this.known, ...change };
    for (const listener of this.#listeners) listener();
  }

  /** What the phone has, then what the service says. */
  async open(): Promise<void> {
    await tidy(Date.now());
    this.#phone = (await said<string>('phone')) ?? '';
    if (this.#phone === '') {
      this.#phone = `phone-${crypto.randomUUID()}`;
      await keepSaid('phone', this.#phone);
    }
    const kept = await said<{ at_ms: number; lines: RoundLine[] }>('lines');
    this.#tell({
      me: await said<Me>('me'),
      lines: kept?.lines ?? [],
      readAt_ms: kept?.at_ms ?? null,
      rounds: (await said<RoundOut[]>('rounds')) ?? [],
      checklists: (await said<ChecklistOut[]>('checklists')) ?? [],
    });
    await this.#reread();
    await this.#places.open();
    this.#tell({ ready: true });
    // Asked for, and granted to pages that people use: the browser then does not clear it when the phone is full.
    void navigator.storage?.persist?.().catch(() => false);
    addEventListener('online', () => void this.wake());
    addEventListener('offline', () => this.#tell({ sending: 'offline' }));
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void this.wake();
    });
    // `online` is not told by every browser when a network without internet becomes one with.
    setInterval(() => void this.pump(), CHECKED_OFTEN_MS);
    await this.wake();
  }

  async wake(): Promise<void> {
    this.#failures = 0;
    await Promise.all([this.refresh().catch(() => undefined), this.pump()]);
  }

  async #reread(): Promise<void> {
    const [entries, photos, drafts] = [await all('outbox'), await all('photos'), await all('drafts')];
    this.#tell({ entries, photos, drafts: this.#newest(drafts) });
  }

  // ---------------------------------------------------------------- asked of the service

  async signIn(login: string, password: string): Promise<void> {
    const me = await given(api.POST('/api/v1/session', { body: { login, password } }));
    await this.#become(me);
    await this.wake();
  }

  async signOut(): Promise<void> {
    await given(api.DELETE('/api/v1/session')).catch((error: unknown) => {
      if (!(error instanceof Failed) || error.status !== 401) throw error;
    });
    setCsrf(null);
    await write(['said'], of => {
      for (const key of ['me', 'lines', 'rounds']) of('said').delete(key);
    });
    this.#tell({ me: null, signedOut: false, lines: [], rounds: [], readAt_ms: null });
    this.#places.want([]);
  }

  async #become(me: Me): Promise<void> {
    setCsrf(me.csrf);
    await keepSaid('me', me);
    this.#tell({ me, signedOut: false });
  }

  /** Today's rounds, and for those that are walked by this guard all that is needed without network. */
  async refresh(): Promise<void> {
    try {
      await this.#become(await given(api.GET('/api/v1/session')));
      if (this.known.me?.must_change_password) return;
      const now_ms = Date.now();
      const today_ms = new Date(now_ms).setHours(0, 0, 0, 0);
      // From yesterday on: a round of the night is still being walked in the morning.
      const span = {
        from: new Date(today_ms - DAY_MS).toISOString(),
        until: new Date(today_ms + DAY_MS).toISOString(),
      };
      const [listed, checklists] = await Promise.all([
        given(api.GET('/api/v1/inspection-rounds', { params: { query: span } })),
        given(api.GET('/api/v1/checklists')),
      ]);
      // What he walked until midnight is still his to sign.
      const toSign = (each: RoundLine) =>
        each.round !== null && each.guard === this.known.me?.person.name && each.unsigned.includes('patroller');
      const lines = listed.items.filter(
        each => each.state === 'overdue' || Date.parse(each.window_until) > today_ms || toSign(each),
      );
      await this.#forgetDone(listed.items);
      await keepSaid('lines', { at_ms: now_ms, lines });
      await keepSaid('checklists', checklists.items);
      this.#tell({ lines, checklists: [...checklists.items], readAt_ms: now_ms });
      const mine = lines.filter(each => each.round !== null && each.guard === this.known.me?.person.name);
      const walked = mine.filter(each => each.state === 'walking' || each.state === 'overdue');
      const rounds = await Promise.all(walked.map(each => this.#round(each.round ?? 0)));
      await this.#keepRounds(rounds);
    } catch (error) {
      if (error instanceof Failed && error.status === 401) this.#tell({ signedOut: this.known.me !== null });
      throw error;
    }
  }

  #round(round: number): Promise<RoundOut> {
    return given(api.GET('/api/v1/inspection-rounds/{round}', { params: { path: { round } } }));
  }

  async #keepRounds(rounds: readonly RoundOut[]): Promise<void> {
    await keepSaid('rounds', rounds);
    this.#tell({ rounds });
    this.#places.want(rounds);
  }

  async #walk(round: RoundOut): Promise<RoundOut> {
    await this.#keepRounds([...this.known.rounds.filter(each => each.id !== round.id), round]);
    void this.refresh().catch(() => undefined);
    return round;
  }

  async start(line: RoundLine): Promise<RoundOut> {
    const body = { site: line.site, plan: line.plan };
    return this.#walk(
      await given(api.POST('/api/v1/inspection-rounds', { body, headers: { 'Idempotency-Key': deedKey() } })),
    );
  }

  async takeOver(round: number, note: string): Promise<RoundOut> {
    const options = { params: { path: { round } }, body: { note }, headers: { 'Idempotency-Key': deedKey() } };
    return this.#walk(await given(api.POST('/api/v1/inspection-rounds/{round}/take-over', options)));
  }

  /** Whom a round may be given to, the substitute first. */
  async guards(round: number): Promise<readonly GuardOut[]> {
    return (await given(api.GET('/api/v1/inspection-rounds/{round}/guards', { params: { path: { round } } }))).items;
  }

  /** What lies on this phone is still its guard's, and is sent in his name. */
  async handOver(round: number, to: string): Promise<void> {
    // Each time that it came to him he may give it away once: it may have been given back since an answer was lost.
    const { journal } = await this.#round(round);
    const since = journal.findLast(each => each.guard === this.known.me?.person.name)?.seq ?? 0;
    await this.#once(`hand-over/${round}/${to}/${since}`, key => {
      const options = { params: { path: { round } }, body: { to }, headers: { 'Idempotency-Key': key } };
      return given(api.POST('/api/v1/inspection-rounds/{round}/hand-over', options));
    });
    await this.#keepRounds(this.known.rounds.filter(each => each.id !== round));
    await this.refresh().catch(() => undefined);
  }

  /** By who is signed in; over what the service has, so that everything has to be there first. */
  async sign(round: number): Promise<void> {
    await this.#once(`sign/${round}`, key => {
      const options = { params: { path: { round } }, body: {}, headers: { 'Idempotency-Key': key } };
      return given(api.POST('/api/v1/inspection-rounds/{round}/sign', options));
    });
    await this.refresh().catch(() => undefined);
  }

  /**
   * The same deed keeps its key until it was answered, also when the page was closed meanwhile: if only the answer was
   * lost, doing it again gives that answer.
   */
  async #once<T>(deed: string, act: (key: string) => Promise<T>): Promise<T> {
    const keptAs = `deed/${this.known.me?.person.id}/${deed}`;
    const key = (await said<string>(keptAs)) ?? deedKey();
    await keepSaid(keptAs, key);
    try {
      const answer = await act(key);
      await remove('said', keptAs);
      return answer;
    } catch (error) {
      if (error instanceof Failed && !passes(error)) await remove('said', keptAs);
      throw error;
    }
  }

  /** What the service shows as done is answered, whatever became of the answer: the next time is another deed. */
  async #forgetDone(lines: readonly RoundLine[]): Promise<void> {
    const me = this.known.me?.person;
    for (const key of await keysOf('said')) {
      const [kind, person, what, round] = key.split('/');
      if (kind !== 'deed' || person !== String(me?.id)) continue;
      const line = lines.find(each => String(each.round) === round);
      const waits = what === 'sign' ? line?.unsigned.includes('patroller') : line?.guard === me?.name;
      if (waits !== true) await remove('said', key);
    }
  }

  // ---------------------------------------------------------------- done by the guard

  /** The stop whose tag this is, in the round. */
  async stopOf(round: RoundOut, code: string): Promise<string | null> {
    const hash = await hashOf(code);
    return round.stops.find(each => each.tag_hashes.includes(hash))?.stop.facility ?? null;
  }

  async begin(round: RoundOut, facility: string, tag: string, means: Means): Promise<Draft> {
    const key = draftKey(round.id, facility);
    const before = this.known.drafts.find(each => each.key === key && each.person === this.known.me?.person.id);
    if (before !== undefined) {
      // Opened by its link or typed, and now read: that counts.
      if (before.means === 'camera' || means !== 'camera') return before;
      const read = { ...before, tag, means, position: positionNear(Date.now()) ?? before.position };
      await this.keepDraft(read);
      return read;
    }
    const draft: Draft = {
      key,
      id: crypto.randomUUID(),
      person: this.known.me?.person.id ?? 0,
      round: round.id,
      facility,
      tag,
      means,
      scannedAt_ms: Date.now(),
      position: positionNear(Date.now()),
      answers: {},
      photos: [],
      note: '',
    };
    await this.keepDraft(draft);
    return draft;
  }

  /** Known at once: the next answer is given before a slow phone has written this one, and must not lose it. */
  async keepDraft(draft: Draft): Promise<void> {
    this.#unwritten.set(draft.key, draft);
    this.#tell({ drafts: this.#newest(this.known.drafts) });
    try {
      await put('drafts', draft);
    } finally {
      if (this.#unwritten.get(draft.key) === draft) this.#unwritten.delete(draft.key);
    }
  }

  #newest(drafts: readonly Draft[]): Draft[] {
    return [...drafts.filter(each => !this.#unwritten.has(each.key)), ...this.#unwritten.values()];
  }

  /** The picture is on the phone when this returns. */
  async keepPhoto(site: string, item: string, picture: Blob, means: Means): Promise<PhotoOf> {
    const hash = await sha256(await picture.arrayBuffer());
    const person = this.known.me?.person.id ?? 0;
    await put('photos', { sha256: hash, site, person, savedAt_ms: Date.now(), state: 'waiting', why: null, picture });
    await this.#reread();
    void this.pump();
    return { sha256: hash, item, means };
  }

  async save(round: RoundOut, draft: Draft, name: Name, checklist: ChecklistOut): Promise<void> {
    await this.#keepVisit(round, name, draft.facility, {
      id: draft.id,
      tag: draft.tag,
      facility: draft.facility,
      means: draft.means,
      scanned_at: new Date(draft.scannedAt_ms).toISOString(),
      finished_at: new Date().toISOString(),
      checklist: checklist.kind,
      checklist_version: checklist.version,
      answers: draft.answers,
      photos: [...draft.photos],
      position: draft.position ?? positionNear(draft.scannedAt_ms),
      round: round.id,
      note: draft.note.trim() === '' ? null : draft.note.trim(),
    });
  }

  /** A scan that leads to no point of the route: kept all the same, and told to the service. */
  async keepOdd(round: RoundOut, said: string, means: Means, name: Name): Promise<void> {
    const now = new Date().toISOString();
    await this.#keepVisit(round, name, null, {
      id: crypto.randomUUID(),
      tag: said.slice(0, 400),
      facility: null,
      means,
      scanned_at: now,
      finished_at: now,
      checklist: null,
      checklist_version: null,
      photos: [],
      position: positionNear(Date.now()),
      round: round.id,
      note: null,
    });
  }

  async #keepVisit(round: RoundOut, name: Name, facility: string | null, visit: VisitIn): Promise<void> {
    const entry: VisitEntry = {
      kind: 'visit',
      ...this.#signed(round, name, visit.id),
      round: round.id,
      facility,
      visit,
      answer: null,
    };
    await write(['outbox', 'drafts'], of => {
      of('outbox').put(entry);
      if (facility !== null) of('drafts').delete(draftKey(round.id, facility));
    });
    await this.#reread();
    void this.pump();
  }

  /** Ended on the phone at once; the service hears of it after the visits. */
  async finish(round: RoundOut): Promise<void> {
    const entry: FinishEntry = {
      kind: 'finish',
      ...this.#signed(round, round.name, crypto.randomUUID()),
      round: round.id,
      unsent: null,
    };
    await put('outbox', entry);
    await this.#reread();
    void this.pump();
  }

  #signed(round: RoundOut, name: Name, id: string) {
    const me = this.known.me?.person;
    return {
      id,
      person: me?.id ?? 0,
      personName: me?.name ?? '',
      site: round.site,
      name,
      savedAt_ms: Date.now(),
      state: 'waiting' as const,
      why: null,
    };
  }

  async again(id: string): Promise<void> {
    await tryAgain(id);
    await this.#reread();
    await this.pump();
  }

  // ---------------------------------------------------------------- sent

  #waits(): boolean {
    const mine = (each: Entry | Photo) => each.state === 'waiting' && each.person === this.known.me?.person.id;
    return this.known.entries.some(mine) || this.known.photos.some(mine);
  }

  /** Send what waits, one pass at a time in all tabs together. */
  async pump(): Promise<void> {
    if (this.#pumping) {
      this.#again = true;
      return;
    }
    this.#pumping = true;
    try {
      do {
        this.#again = false;
        await this.#pass();
      } while (this.#again);
    } finally {
      this.#pumping = false;
    }
  }

  #unended(): number {
    return this.known.entries.filter(each => each.kind === 'finish' && each.state === 'waiting').length;
  }

  async #pass(): Promise<void> {
    clearTimeout(this.#timer);
    if (!this.#waits()) {
      this.#tell({ sending: 'idle' });
      return;
    }
    this.#tell({ sending: 'sending' });
    const unended = this.#unended();
    try {
      const sender = new Sender(this.#phone, () => void this.#reread());
      await navigator.locks.request('taizhang-patrol', () => sender.pass());
      this.#failures = 0;
      await this.#reread();
      this.#tell({ sending: 'idle', signedOut: false });
    } catch (error) {
      await this.#reread();
      if (error instanceof SignedOut || (error instanceof Failed && error.status === 401)) {
        this.#tell({ sending: 'signed_out', signedOut: true });
        return;
      }
      this.#tell({ sending: navigator.onLine ? 'waiting' : 'offline' });
      const patience_ms = PATIENCE_MS[Math.min(this.#failures, PATIENCE_MS.length - 1)];
      this.#failures += 1;
      this.#timer = setTimeout(() => void this.pump(), patience_ms);
    } finally {
      // A round that has ended waits for its signature. Nobody waits for that: what was saved meanwhile is sent first.
      if (this.#unended() < unended) void this.refresh().catch(() => undefined);
    }
  }
}
