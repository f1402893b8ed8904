import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { api, given } from '../api/client';
import { useExplained } from '../api/problem';
import { useTexts } from '../words/words';
import { PAUSE_MS, useCamera } from './camera';
import { type Means, read } from './codes';
import { frameOf, pictureOf } from './pictures';
import { reader } from './reader';
import { Torch } from './Torch';
import { TEXTS } from './texts';
import './scanning.css';

const LOOK_EVERY_MS = 120;

export type OnRead = (text: string, means: Means) => Promise<void>;
type Props = {
  looking: boolean;
  aim: string;
  onRead: OnRead;
  onType: () => void;
  onBack: () => void;
  /** What helps to find it, below the words. */
  children?: ReactNode;
};

/** Of several codes in one picture, ours. */
function ours(texts: readonly string[]): string | undefined {
  return texts.find(each => 'code' in read(each)) ?? texts[0];
}

export function Finder({ looking, aim, onRead, onType, onBack, children }: Props) {
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
        const texts = await reader()
          .then(
            ofPicture => ofPicture(frameOf(shown, canvas)),
            () => {
              setFault(say('reader_absent'));
              return [];
            },
          )
          .catch(() => []);
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
  }, [state, looking, pause, say]);

  // Behind a notice, or while somebody types, the camera rests as well.
  useEffect(() => {
    if (state !== 'on' || looking) return;
    const timer = setTimeout(pause, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [state, looking, pause]);

  return (
    <>
      <video ref={video} playsInline muted className="scan-seen" />
      <div className="scan-aim" aria-hidden="true" />
      <p className="scan-words">{fault === '' ? aim : fault}</p>
      {children}
      {state === 'paused' && (
        <button type="button" className="scan-state" onClick={camera.resume}>
          {say('camera_paused')}
        </button>
      )}
      {state !== 'paused' && state !== 'on' && (
        <p className="scan-state" role="status">
          {say(`camera_${state}`)}
        </p>
      )}
      <nav className="scan-tools">
        <button type="button" onClick={onBack}>
          {say('back')}
        </button>
        <Torch camera={camera} />
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
    <label className="scan-file">
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
