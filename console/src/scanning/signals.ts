/** What is felt and heard without looking: a short high tone for good, two low ones for a problem. */

let audio: AudioContext | null = null;

/** Browsers allow sound only after a touch: called on the first. */
export function wake(): void {
  try {
    audio ??= new AudioContext();
    void audio.resume();
  } catch {
    audio = null; // a phone without sound still vibrates
  }
}

function tone(frequency_hz: number, after_s: number, lasting_s: number): void {
  if (audio === null || audio.state !== 'running') return;
  const [oscillator, gain] = [audio.createOscillator(), audio.createGain()];
  const begin = audio.currentTime + after_s;
  oscillator.frequency.value = frequency_hz;
  gain.gain.setValueAtTime(0.25, begin);
  gain.gain.exponentialRampToValueAtTime(0.001, begin + lasting_s);
  oscillator.connect(gain).connect(audio.destination);
  oscillator.start(begin);
  oscillator.stop(begin + lasting_s);
}

export function good(): void {
  navigator.vibrate?.(60);
  tone(1318, 0, 0.15);
}

export function bad(): void {
  navigator.vibrate?.([150, 80, 150]);
  tone(220, 0, 0.2);
  tone(196, 0.25, 0.3);
}
