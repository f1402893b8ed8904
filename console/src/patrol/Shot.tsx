import { useRef, useState } from 'react';
import { useTexts } from '../words/words';
import type { Means } from './kept/shapes';
import { useCamera } from './reading/camera';
import { photoOf, photoOfFile } from './reading/pictures';
import { bad, good } from './signals';
import { TEXTS } from './texts';

type Props = { title: string; onShot: (picture: Blob, means: Means) => Promise<void>; onBack: () => void };

/** Takes a photo in the page, where it is taken now and of what stands there; a file from the album is told as such. */
export function Shot({ title, onShot, onBack }: Props) {
  const say = useTexts(TEXTS);
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
      <video ref={video} playsInline muted className="seen" />
      <p className="aim-words">{fault === '' ? title : fault}</p>
      {state !== 'on' && (
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
        <label className="button">
          {say('from_file')}
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
          className="main"
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
