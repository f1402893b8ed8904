import { useRunning_ms } from '../time/now';
import { duration, moment } from '../time/spoken';
import { useWords } from '../words/words';
import { useLiveState } from './live';

/** Beside the title: a small sign of whether the screen is live. Shape and words, never colour alone. */
export function LiveMark() {
  const { t } = useWords();
  const { health } = useLiveState();
  return (
    <span className={`live-mark live-${health}`} role="status">
      <span className="live-dot" aria-hidden="true" />
      <span className="live-word">{t(`live.${health}`)}</span>
    </span>
  );
}

/** Across the page, at once: since when the screen stands still. */
export function LiveBanner() {
  const { health, currentAt_ms } = useLiveState();
  if (currentAt_ms === null || health === 'live' || health === 'connecting') return null;
  return <StandingStill since_ms={currentAt_ms} deaf={health === 'deaf'} />;
}

function StandingStill({ since_ms, deaf }: { since_ms: number; deaf: boolean }) {
  const { t, language } = useWords();
  const now_ms = useRunning_ms();
  const values = {
    at: moment(language, since_ms, now_ms),
    age: duration(language, now_ms - since_ms),
  };
  return (
    <div className="live-banner" role="alert">
      {t(deaf ? 'live.banner_deaf' : 'live.banner', values)}
    </div>
  );
}
