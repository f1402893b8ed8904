/**
 * The sound of alarms nobody has acknowledged. It repeats until somebody does, and never sounds because something is normal
 * again. Tones are made here: there is no file to be missing.
 */

export type Loudness = 'urgent' | 'high' | 'other';

/** How often it is heard, and what: pitches in hertz, one after the other. */
const VOICES: Readonly<Record<Loudness, { readonly every_ms: number; readonly pitches: readonly number[] }>> = {
  urgent: { every_ms: 2_000, pitches: [988, 740, 988, 740] },
  high: { every_ms: 4_000, pitches: [784, 988] },
  other: { every_ms: 10_000, pitches: [659] },
};
const TONE_S = 0.16;

/** Browsers let no page sound before somebody has touched it: `blocked` until then. */
export type SirenState = 'silent' | 'sounding' | 'blocked';

export class Siren {
  state: SirenState = 'silent';
  #context: AudioContext | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;
  #loudness: Loudness | null = null;
  readonly #watchers = new Set<() => void>();

  watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  /** Sound like this from now on; null: be silent. */
  sound(loudness: Loudness | null): void {
    if (loudness === this.#loudness) return;
    this.#loudness = loudness;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    if (loudness === null) {
      this.#become('silent');
      return;
    }
    this.#timer = setInterval(() => this.#play(), VOICES[loudness].every_ms);
    this.#play();
  }

  /** Somebody touched the page: the browser may let us now. */
  unblock = (): void => {
    if (this.#loudness === null || this.#context === null) return;
    void this.#context.resume().then(() => this.#play());
  };

  #play(): void {
    if (this.#loudness === null) return;
    this.#context ??= new AudioContext();
    const context = this.#context;
    if (context.state !== 'running') {
      this.#become('blocked');
      void context.resume().then(() => {
        if (this.state === 'blocked') this.#play();
      });
      return;
    }
    this.#become('sounding');
    VOICES[this.#loudness].pitches.forEach((pitch, place) => {
      const tone = new OscillatorNode(context, { type: 'triangle', frequency: pitch });
      const volume = new GainNode(context, { gain: 0 });
      const begin = context.currentTime + place * TONE_S * 1.3;
      volume.gain.setTargetAtTime(0.3, begin, 0.01);
      volume.gain.setTargetAtTime(0, begin + TONE_S, 0.02);
      tone.connect(volume).connect(context.destination);
      tone.start(begin);
      tone.stop(begin + TONE_S * 2);
    });
  }

  #become(state: SirenState): void {
    if (state === this.state) return;
    this.state = state;
    for (const watcher of this.#watchers) watcher();
  }
}
