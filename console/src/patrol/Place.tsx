import { useEffect, useState } from 'react';
import type { RoundStop } from '../api/schema';
import { useTexts, useWords } from '../words/words';
import { pictureOfPlace } from './kept/places';
import { usePatrol } from './PatrolContext';
import { TEXTS } from './texts';

/** Where the point is to be found, as somebody photographed it: small, and large at a touch. From the phone alone. */
export function Place({ stop: { stop, place_photo } }: { stop: RoundStop }) {
  const { known } = usePatrol();
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const [large, setLarge] = useState(false);
  // A round that an older page kept says nothing of photos.
  const sha256 = place_photo?.sha256 ?? '';
  const address = useAddress(known.places.has(sha256) ? sha256 : null);
  if (address === null) return null;
  return (
    <button
      type="button"
      className={large ? 'place place-large' : 'place'}
      aria-expanded={large}
      onClick={() => setLarge(before => !before)}
    >
      <img src={address} alt={say('place_photo', { name: of(stop.name) })} />
    </button>
  );
}

function useAddress(sha256: string | null): string | null {
  const [address, setAddress] = useState<string | null>(null);
  useEffect(() => {
    if (sha256 === null) return;
    let made: string | null = null;
    let living = true;
    void pictureOfPlace(sha256)
      .catch(() => null)
      .then(picture => {
        if (!living || picture === null) return;
        made = URL.createObjectURL(picture);
        setAddress(made);
      });
    return () => {
      living = false;
      setAddress(null);
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [sha256]);
  return address;
}
