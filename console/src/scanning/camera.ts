/** The camera: the rear main lens unless another was chosen before, torch where there is one, off after half a minute. */

import { type RefObject, useCallback, useEffect, useRef, useState } from 'react';

export const PAUSE_MS = 30_000;
const LENS_KEPT_AS = 'taizhang.lens';
/** How phones name the lens that sees as the eye does; wide and tele lenses cannot be held close to a tag. */
const MAIN = [/camera2? 0\b.*back/i, /^back camera$/i, /后置相机$|^后置摄像头$/];
const REAR = /back|rear|environment|后/i;

export type CameraState = 'opening' | 'on' | 'paused' | 'denied' | 'absent' | 'insecure';
export type Lens = { readonly id: string; readonly label: string };
type Torch = MediaTrackCapabilities & { torch?: boolean };

function keptLens(): string | null {
  try {
    return localStorage.getItem(LENS_KEPT_AS);
  } catch {
    return null;
  }
}

function keepLens(id: string): void {
  try {
    localStorage.setItem(LENS_KEPT_AS, id);
  } catch {
    // it is then chosen again next time
  }
}

async function lenses(): Promise<Lens[]> {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter(each => each.kind === 'videoinput').map(each => ({ id: each.deviceId, label: each.label }));
}

function mainLens(all: readonly Lens[]): Lens | undefined {
  const rear = all.filter(each => REAR.test(each.label));
  return rear.find(each => MAIN.some(name => name.test(each.label)));
}

async function stream(lens: string | null): Promise<MediaStream> {
  const size = { width: { ideal: 1280 }, height: { ideal: 960 } };
  const wanted = lens === null ? { facingMode: { ideal: 'environment' } } : { deviceId: { exact: lens } };
  return await navigator.mediaDevices.getUserMedia({ audio: false, video: { ...size, ...wanted } });
}

async function opened(chosen: string | null): Promise<{ stream: MediaStream; all: Lens[]; lens: string | undefined }> {
  let found = await stream(chosen).catch(async (error: unknown) => {
    // The lens of before is gone: another phone's setting, or a camera that was unplugged.
    if (chosen !== null && error instanceof Error && error.name !== 'NotAllowedError') return await stream(null);
    throw error;
  });
  // Labels are told only once the camera is allowed.
  const all = await lenses();
  const current = found.getVideoTracks()[0]?.getSettings().deviceId;
  const main = chosen === null ? mainLens(all) : undefined;
  if (main !== undefined && main.id !== current) {
    for (const track of found.getTracks()) track.stop();
    found = await stream(main.id);
  }
  return { stream: found, all, lens: found.getVideoTracks()[0]?.getSettings().deviceId };
}

export function useCamera(video: RefObject<HTMLVideoElement | null>) {
  const [state, setState] = useState<CameraState>('opening');
  const [all, setAll] = useState<readonly Lens[]>([]);
  const [lens, setLens] = useState<string | null>(keptLens);
  const [torch, setTorch] = useState<'none' | 'off' | 'on'>('none');
  const [turn, setTurn] = useState(0);
  const track = useRef<MediaStreamTrack | null>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a turn opens the camera anew
  useEffect(() => {
    if (navigator.mediaDevices === undefined) {
      setState('insecure');
      return;
    }
    let living = true;
    let found: MediaStream | null = null;
    setState('opening');
    setTorch('none');
    opened(lens).then(
      async camera => {
        found = camera.stream;
        if (!living || video.current === null) {
          for (const each of found.getTracks()) each.stop();
          return;
        }
        track.current = found.getVideoTracks()[0] ?? null;
        video.current.srcObject = found;
        await video.current.play().catch(() => undefined);
        setAll(camera.all);
        const can = (track.current?.getCapabilities?.() as Torch | undefined)?.torch === true;
        setTorch(can ? 'off' : 'none');
        setState('on');
      },
      (error: unknown) => {
        if (living) setState(error instanceof Error && error.name === 'NotAllowedError' ? 'denied' : 'absent');
      },
    );
    return () => {
      living = false;
      for (const each of found?.getTracks() ?? []) each.stop();
      track.current = null;
    };
  }, [lens, turn, video]);

  const pause = useCallback(() => {
    track.current?.stop();
    setState('paused');
  }, []);
  const resume = useCallback(() => setTurn(before => before + 1), []);
  const nextLens = useCallback(() => {
    const current = track.current?.getSettings().deviceId;
    const next = all[(all.findIndex(each => each.id === current) + 1) % Math.max(all.length, 1)];
    if (next === undefined) return;
    keepLens(next.id);
    setLens(next.id);
  }, [all]);
  const toggleTorch = useCallback(async () => {
    const on = torch !== 'on';
    try {
      await track.current?.applyConstraints({ advanced: [{ torch: on } as MediaTrackConstraintSet] });
      setTorch(on ? 'on' : 'off');
    } catch {
      setTorch('none');
    }
  }, [torch]);
  return { state, torch, toggleTorch, canSwitch: all.length > 1, nextLens, pause, resume };
}
