import { useRef, useState } from 'react';
import { useCamera } from '../scanning/camera';
import type { Means } from '../scanning/codes';
import { photoOf, photoOfFile } from '../scanning/pictures';
import { bad, good } from '../scanning/signals';
import { Torch } from '../scanning/Torch';
import { TEXTS as SCANNING } from '../scanning/texts';
import { useTexts } from '../words/words';
import { TEXTS } from './texts';
import '../scanning/scanning.css';

type Props = { title: string; onShot: (picture: Blob, means: Means) => Promise<void>; onBack: () => void };

/** Takes a photo in the page, where it is taken now and of what stands there; a file from the album is told as such. */
export function Shot({ title, onShot, onBack }: Props) {
  const say = useTexts(TEXTS);
  const told = useTexts(SCANNING);
  const video = useRef<HTMLVideoElement>(null);
  const camera = useCamera(video);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState('');
  const { state } = camera;

  const take = (taking: Promise<Blob>, means: Means) => {
    setBusy(true);
    setFault('');
    taking
      .then(picture => onShot(picture, means))
      .then(good, () => {
        bad();
        setFault(say('no_picture'));
        setBusy(false);
      });
  };

  return (
    <main className="scan">
      <video ref={video} playsInline muted className="scan-seen" />
      <p className="scan-words">{fault === '' ? title : fault}</p>
      {state !== 'on' && (
        <p className="scan-state" role="status">
          {told(`camera_${state}`)}
        </p>
      )}
      <nav className="scan-tools">
        <button type="button" onClick={onBack}>
          {say('back')}
        </button>
        <Torch camera={camera} />
        <label className="scan-file">
          {told('from_file')}
          <input
            type="file"
            accept="image/*"
            onChange={event => {
              const file = event.target.files?.[0];
              event.target.value = '';
              if (file !== undefined) take(photoOfFile(file), 'photo_file');
            }}
          />
        </label>
        <button
          type="button"
          className="scan-main"
          disabled={busy || state !== 'on'}
          onClick={() => {
            if (video.current !== null) take(photoOf(video.current), 'camera');
          }}
        >
          {say('shutter')}
        </button>
      </nav>
    </main>
  );
}
