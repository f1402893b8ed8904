import { useCallback, useEffect, useMemo, useState } from 'react';
import type { RoundOut } from '../api/schema';
import { typed } from '../scanning/codes';
import { wake } from '../scanning/signals';
import { useTexts, useWords } from '../words/words';
import { Bar } from './Bar';
import type { Patrol } from './kept/patrol';
import { InPatrol, usePatrol } from './PatrolContext';
import { Outbox } from './pages/Outbox';
import { Point } from './pages/Point';
import { Round } from './pages/Round';
import { Scan } from './pages/Scan';
import { SignIn } from './pages/SignIn';
import { Today } from './pages/Today';
import { useWatchedPosition } from './position';
import { TEXTS } from './texts';
import { codeOfAddress, useViews, type View } from './views';

const DARK_KEPT_AS = 'taizhang.dark';

function useDark(): [boolean, () => void] {
  const [dark, setDark] = useState(() => localStorage.getItem(DARK_KEPT_AS) === 'yes');
  useEffect(() => {
    document.documentElement.dataset.light = dark ? 'dark' : 'bright';
    localStorage.setItem(DARK_KEPT_AS, dark ? 'yes' : 'no');
  }, [dark]);
  return [dark, () => setDark(before => !before)];
}

/** What stops everything else: a browser that cannot keep what a guard does. */
type Obstacle = 'insecure' | 'no_storage';

function useOpened(patrol: Patrol): Obstacle | null {
  const [obstacle, setObstacle] = useState<Obstacle | null>(isSecureContext ? null : 'insecure');
  useEffect(() => {
    addEventListener('pointerdown', wake, { once: true });
    if (isSecureContext) patrol.open().catch(() => setObstacle('no_storage'));
  }, [patrol]);
  return obstacle;
}

export function App({ patrol }: { patrol: Patrol }) {
  const obstacle = useOpened(patrol);
  const say = useTexts(TEXTS);
  if (obstacle !== null)
    return (
      <main className="sheet" role="alert">
        <h1>{say('name')}</h1>
        <p>{say(obstacle)}</p>
      </main>
    );
  return (
    <InPatrol value={patrol}>
      <Opened />
    </InPatrol>
  );
}

function Opened() {
  const { known } = usePatrol();
  const { t } = useWords();
  const [dark, turnDark] = useDark();
  if (!known.ready) return <p className="sheet">{t('app.loading')}</p>;
  const blocked = known.me?.must_change_password === true;
  return (
    <>
      {known.me === null || known.signedOut || blocked ? <SignIn blocked={blocked} /> : null}
      {known.me !== null && !known.signedOut && !blocked && <Walking dark={dark} turnDark={turnDark} />}
    </>
  );
}

/** The point whose tag was opened with another program, once the rounds are there. */
function useOpenedByLink(show: (view: View) => void, go: (view: View) => void, tell: (what: string) => void): void {
  const { patrol, known } = usePatrol();
  const say = useTexts(TEXTS);
  const [address] = useState(() => codeOfAddress(location.pathname));
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, with what was known when the page opened
  useEffect(() => {
    if (address === null) return;
    const found = typed(decodeURIComponent(address));
    show({ at: 'today' });
    const open = async () => {
      for (const round of 'code' in found ? known.rounds : []) {
        const facility = 'code' in found ? await patrol.stopOf(round, found.code) : null;
        if (facility === null || !('code' in found)) continue;
        await patrol.begin(round, facility, found.code, 'typed');
        go({ at: 'round', round: round.id });
        go({ at: 'point', round: round.id, facility });
        return;
      }
      tell(say('link_no_round'));
    };
    void open();
  }, []);
}

function Walking({ dark, turnDark }: { dark: boolean; turnDark: () => void }) {
  const { known } = usePatrol();
  const { view, go, replace } = useViews();
  const [told, setTold] = useState('');
  useOpenedByLink(replace, go, setTold);
  const round = useMemo<RoundOut | null>(
    () => ('round' in view ? (known.rounds.find(each => each.id === view.round) ?? null) : null),
    [view, known.rounds],
  );
  useWatchedPosition(view.at === 'scan' || view.at === 'point');
  const back = useCallback(() => history.back(), []);
  const saved = useCallback((what: string) => {
    setTold(what);
    history.back();
  }, []);
  // The round is another's now: there is nothing to come back to.
  const given = useCallback(
    (what: string) => {
      setTold(what);
      replace({ at: 'today' });
    },
    [replace],
  );
  const enter = (next: View) => {
    setTold('');
    go(next);
  };
  return (
    <div className={`patrol at-${view.at}`}>
      <Bar onOutbox={() => view.at !== 'outbox' && enter({ at: 'outbox' })} />
      {told !== '' && (
        <p className="told" role="status">
          {told}
        </p>
      )}
      {view.at === 'outbox' && <Outbox onBack={back} />}
      {view.at === 'round' && round !== null && (
        <Round round={round} go={enter} onBack={back} onEnded={saved} onGiven={given} />
      )}
      {view.at === 'scan' && round !== null && (
        <Scan key={view.facility} round={round} wanted={view.facility} replace={replace} onBack={back} />
      )}
      {view.at === 'point' && round !== null && (
        <Point
          key={view.facility}
          round={round}
          facility={view.facility}
          onBack={back}
          onSaved={saved}
          onScan={() => replace({ at: 'scan', round: round.id, facility: view.facility })}
        />
      )}
      {(view.at === 'today' || ('round' in view && round === null)) && (
        <Today go={enter} dark={dark} turnDark={turnDark} />
      )}
    </div>
  );
}
