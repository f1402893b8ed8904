import { useTexts } from '../words/words';
import type { useCamera } from './camera';
import { TEXTS } from './texts';

/** Where the lens has a light. */
export function Torch({ camera }: { camera: Pick<ReturnType<typeof useCamera>, 'torch' | 'toggleTorch'> }) {
  const say = useTexts(TEXTS);
  if (camera.torch === 'none') return null;
  return (
    <button type="button" aria-pressed={camera.torch === 'on'} onClick={() => void camera.toggleTorch()}>
      {say('torch')}
    </button>
  );
}
