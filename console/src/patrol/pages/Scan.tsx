import { useRef, useState } from 'react';
import { api } from '../../api/client';
import type { RoundOut } from '../../api/schema';
import { type Means, read } from '../../scanning/codes';
import { Finder } from '../../scanning/Finder';
import { bad, good } from '../../scanning/signals';
import { Typing } from '../../scanning/Typing';
import { TEXTS as SCANNING } from '../../scanning/texts';
import { useTexts, useWords } from '../../words/words';
import type { Name } from '../kept/shapes';
import { clock } from '../moments';
import { usePatrol } from '../PatrolContext';
import { Place } from '../Place';
import { isDone, standings } from '../rounds';
import { TEXTS } from '../texts';
import type { View } from '../views';

const SAME_MS = 3_000;
const LOOK_UP_MS = 4_000;

/** Something is not as it should be: told, and what can be done about it. */
type Notice = { readonly text: string; readonly deeds: readonly { readonly word: string; readonly act: () => void }[] };
type Props = { round: RoundOut; wanted: string | null; replace: (view: View) => void; onBack: () => void };

export function Scan({ round, wanted, replace, onBack }: Props) {
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const [notice, setNotice] = useState<Notice | null>(null);
  const [typing, setTyping] = useState(false);
  const wantedStop = round.stops.find(each => each.stop.facility === wanted) ?? null;
  const last = useRef({ text: '', at_ms: -SAME_MS });
  const onRead = useOnRead(round, wanted, replace, setNotice, last);
  // However long he read the notice: the tag that is still before the lens is the same scan.
  const scanOn = () => {
    last.current.at_ms = performance.now();
    setNotice(null);
  };
  return (
    <main className="scan">
      <Finder
        looking={notice === null && !typing}
        aim={wantedStop === null ? say('aim') : say('aim_at', { name: of(wantedStop.stop.name) })}
        onRead={onRead}
        onType={() => setTyping(true)}
        onBack={onBack}
      >
        {wantedStop !== null && <Place stop={wantedStop} />}
      </Finder>
      {typing && notice === null && <Typing onRead={onRead} onClose={() => setTyping(false)} />}
      {notice !== null && (
        <section className="scan-sheet" role="alertdialog" aria-label={notice.text}>
          <p>{notice.text}</p>
          {notice.deeds.map(each => (
            <button key={each.word} type="button" onClick={each.act}>
              {each.word}
            </button>
          ))}
          <button type="button" className="scan-main" onClick={scanOn}>
            {say('scan_on')}
          </button>
        </section>
      )}
    </main>
  );
}

/** What the service knows of a tag that is on no stop of the route; nothing, where it cannot be asked. */
async function lookUp(
  code: string,
): Promise<{ key: 'offline' | 'unknown' | 'retired' | 'elsewhere'; name: Name | null }> {
  const signal = AbortSignal.timeout(LOOK_UP_MS);
  try {
    const { data, response } = await api.GET('/api/v1/tags/{code}', { params: { path: { code } }, signal });
    if (response.status === 404) return { key: 'unknown', name: null };
    if (data === undefined) return { key: 'offline', name: null };
    const { facility, retired_at } = data.tag;
    return { key: retired_at === null ? 'elsewhere' : 'retired', name: facility.name };
  } catch {
    return { key: 'offline', name: null };
  }
}

function useOnRead(
  round: RoundOut,
  wanted: string | null,
  replace: (view: View) => void,
  setNotice: (notice: Notice | null) => void,
  last: { current: { text: string; at_ms: number } },
) {
  const { patrol, known } = usePatrol();
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const told = useTexts(SCANNING);
  const nameOf = (facility: string) => {
    const stop = round.stops.find(each => each.stop.facility === facility)?.stop;
    return stop === undefined ? facility : of(stop.name);
  };

  async function toPoint(facility: string, code: string, means: Means) {
    await patrol.begin(round, facility, code, means);
    replace({ at: 'point', round: round.id, facility });
  }

  async function offRoute(code: string, means: Means) {
    const found = await lookUp(code);
    await patrol.keepOdd(round, code, means, found.name ?? TEXTS.odd_name);
    const name = found.name === null ? '' : of(found.name);
    setNotice({ text: say(`odd_${found.key}`, { name }), deeds: [] });
  }

  return async (text: string, means: Means): Promise<void> => {
    const now_ms = performance.now();
    // A tag that stays before the lens is one scan.
    if (means !== 'typed' && text === last.current.text && now_ms - last.current.at_ms < SAME_MS) {
      last.current.at_ms = now_ms;
      return;
    }
    last.current = { text, at_ms: now_ms };
    const found = read(text);
    if ('misread' in found) {
      bad();
      const keep = () => {
        void patrol.keepOdd(round, text, means, TEXTS.odd_name).then(() => setNotice(null));
      };
      setNotice({ text: told(`misread_${found.misread}`), deeds: [{ word: say('keep_it'), act: keep }] });
      return;
    }
    const facility = await patrol.stopOf(round, found.code);
    if (facility === null) {
      bad();
      await offRoute(found.code, means);
      return;
    }
    if (wanted !== null && facility !== wanted) {
      bad();
      const names = { found: nameOf(facility), wanted: nameOf(wanted) };
      const act = () => void toPoint(facility, found.code, means);
      setNotice({ text: say('wrong_place', names), deeds: [{ word: say('check_found', names), act }] });
      return;
    }
    const standing = standings(round, known).find(each => each.stop.stop.facility === facility);
    if (standing !== undefined && isDone(standing) && standing.draft === null) {
      bad();
      const at = standing.entry?.savedAt_ms ?? standing.stop.last?.at;
      const said = { name: nameOf(facility), at: at === undefined ? '' : clock(at) };
      const act = () => void toPoint(facility, found.code, means);
      setNotice({ text: say('already', said), deeds: [{ word: say('check_again'), act }] });
      return;
    }
    good();
    await toPoint(facility, found.code, means);
  };
}
