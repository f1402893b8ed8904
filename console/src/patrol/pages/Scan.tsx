import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react';
import { api, given } from '../../api/client';
import { useExplained } from '../../api/problem';
import type { RoundOut } from '../../api/schema';

import { useTexts, useWords } from '../../words/words';
import { read, typed } from '../codes';
import type { Means, Name } from '../kept/shapes';
import { clock } from '../moments';
import { usePatrol } from '../PatrolContext';
import { PAUSE_MS, useCamera } from '../reading/camera';
import { frameOf, pictureOf } from '../reading/pictures';
import { reader } from '../reading/reader';
import { isDone, standings } from '../rounds';
import { bad, good } from '../signals';
import { TEXTS } from '../texts';
import type { View } from '../views';

const LOOK_EVERY_MS = 120;
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
  const wantedStop = round.stops.find(each => each.stop.facility === wanted)?.stop ?? null;
  const onRead = useOnRead(round, wanted, replace, setNotice);
  return (
    <main className="scan">
      <Finder
        looking={notice === null && !typing}
        aim={wantedStop === null ? say('aim') : say('aim_at', { name: of(wantedStop.name) })}
        onRead={onRead}
        onType={() => setTyping(true)}
        onBack={onBack}
      />
      {typing && notice === null && <Typing onRead={onRead} onClose={() => setTyping(false)} />}
      {notice !== null && (
        <section className="notice" role="alertdialog" aria-label={notice.text}>
          <p>{notice.text}</p>
          {notice.deeds.map(each => (
            <button key={each.word} type="button" onClick={each.act}>
              {each.word}
            </button>
          ))}
          <button type="button" className="main" onClick={() => setNotice(null)}>
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
) {
  const { patrol, known } = usePatrol();
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const last = useRef({ text: '', at_ms: -SAME_MS });
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
      setNotice({ text: say(`misread_${found.misread}`), deeds: [{ word: say('keep_it'), act: keep }] });
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

type OnRead = (text: string, means: Means) => Promise<void>;
type FinderProps = { looking: boolean; aim: string; onRead: OnRead; onType: () => void; onBack: () => void };

/** Of several codes in one picture, ours. */
function ours(texts: readonly string[]): string | undefined {
  return texts.find(each => 'code' in read(each)) ?? texts[0];
}

function Finder({ looking, aim, onRead, onType, onBack }: FinderProps) {
  const say = useTexts(TEXTS);
  const video = useRef<HTMLVideoElement>(null);
  const camera = useCamera(video);
  const latest = useRef(onRead);
  latest.current = onRead;
  const [fault, setFault] = useState('');
  const { pause, state } = camera;

  useEffect(() => {
    if (state !== 'on' || !looking) return;
    const canvas = document.createElement('canvas');
    const begun_ms = performance.now();
    let living = true;
    let timer: ReturnType<typeof setTimeout>;
    const look = async () => {
      if (performance.now() - begun_ms > PAUSE_MS) {
        pause();
        return;
      }
      const shown = video.current;
      if (shown !== null && shown.videoWidth > 0) {
        const texts = await (await reader())(frameOf(shown, canvas)).catch(() => []);
        const found = ours(texts);
        if (living && found !== undefined) await latest.current(found, 'camera');
      }
      if (living) timer = setTimeout(() => void look(), LOOK_EVERY_MS);
    };
    void look();
    return () => {
      living = false;
      clearTimeout(timer);
    };
  }, [state, looking, pause]);

  return (
    <>
      <video ref={video} playsInline muted className="seen" />
      <div className="aim" aria-hidden="true" />
      <p className="aim-words">{fault === '' ? aim : fault}</p>
      {state === 'paused' && (
        <button type="button" className="camera-state" onClick={camera.resume}>
          {say('camera_paused')}
        </button>
      )}
      {state !== 'paused' && state !== 'on' && (
        <p className="camera-state" role="status">
          {say(state === 'insecure' ? 'insecure' : `camera_${state}`)}
        </p>
      )}
      <nav className="tools">
        <button type="button" onClick={onBack}>
          {say('back')}
        </button>
        {camera.torch !== 'none' && (
          <button type="button" aria-pressed={camera.torch === 'on'} onClick={() => void camera.toggleTorch()}>
            {say('torch')}
          </button>
        )}
        {camera.canSwitch && (
          <button type="button" onClick={camera.nextLens}>
            {say('lens')}
          </button>
        )}
        <PictureFile onRead={onRead} onFault={setFault} />
        <button type="button" onClick={onType}>
          {say('type')}
        </button>
      </nav>
    </>
  );
}

/** Read on the phone; where that fails, by the service, which looks harder. */
function PictureFile({ onRead, onFault }: { onRead: OnRead; onFault: (fault: string) => void }) {
  const say = useTexts(TEXTS);
  const explained = useExplained();
  const open = useCallback(async (file: File): Promise<string | undefined> => {
    const texts = await pictureOf(file, 'read')
      .then(async picture => await (await reader())(picture))
      .catch(() => []);
    if (texts.length > 0 || !navigator.onLine) return ours(texts);
    const answer = await given(
      api.POST('/api/v1/inspections/decode', {
        body: file as unknown as string, // the schema's word for bytes
        bodySerializer: () => file,
        headers: { 'Content-Type': file.type },
      }),
    );
    return ours(answer.items.map(each => each.text));
  }, []);
  return (
    <label className="button">
      {say('from_file')}
      <input
        type="file"
        accept="image/*"
        onChange={event => {
          const file = event.target.files?.[0];
          event.target.value = '';
          if (file === undefined) return;
          onFault('');
          open(file).then(
            text => (text === undefined ? onFault(say('nothing_read')) : void onRead(text, 'photo_file')),
            (error: unknown) => onFault(explained(error)),
          );
        }}
      />
    </label>
  );
}

function Typing({ onRead, onClose }: { onRead: OnRead; onClose: () => void }) {
  const say = useTexts(TEXTS);
  const [text, setText] = useState('');
  const [fault, setFault] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const found = typed(text);
    if ('code' in found) void onRead(found.code, 'typed').then(onClose);
    else setFault(say(`misread_${found.misread}`));
  };
  return (
    <form className="notice" onSubmit={submit}>
      <label>
        {say('typed_label')}
        <input
          value={text}
          autoCapitalize="characters"
          autoComplete="off"
          spellCheck={false}
          maxLength={20}
          // biome-ignore lint/a11y/noAutofocus: the form was asked for to type into
          autoFocus
          onChange={event => setText(event.target.value)}
        />
      </label>
      {fault !== '' && (
        <p className="wrong" role="alert">
          {fault}
        </p>
      )}
      <button type="submit" className="main">
        {say('typed_ok')}
      </button>
      <button type="button" onClick={onClose}>
        {say('back')}
      </button>
    </form>
  );
}
