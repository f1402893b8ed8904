import { Button } from 'antd';
import { type ComponentProps, useCallback, useEffect, useState } from 'react';
import { Waiting } from '../../app/Waiting';
import { wake } from '../../scanning/signals';
import { useSession } from '../../session/session';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useTexts, useWords } from '../../words/words';
import { type Detail, isOfPresence, type Scanned } from './orders';
import { TEXTS } from './texts';

type ScanHere = typeof import('./ScanHere')['default'];

/** The camera and its reader come when somebody wants to scan. Where they do not, the order stays, and he may try again. */
function Scanning(props: ComponentProps<ScanHere>) {
  const say = useTexts(TEXTS);
  const [ScanHere, setScanHere] = useState<ScanHere | null>(null);
  const [failed, setFailed] = useState(false);
  const load = useCallback(() => {
    setFailed(false);
    import('./ScanHere').then(
      loaded => setScanHere(() => loaded.default),
      () => setFailed(true),
    );
  }, []);
  useEffect(load, [load]);
  if (ScanHere !== null) return <ScanHere {...props} />;
  if (!failed) return <Waiting />;
  return (
    <p role="alert">
      {say('scan_not_loaded')} <Button onClick={load}>{say('scan_load_again')}</Button>
    </p>
  );
}

/** Who was there: whoever works arrives by scanning the tag at the facility, and one of one's own witnesses by it. */
export function Presence({ detail }: { detail: Detail }) {
  const say = useTexts(TEXTS);
  const { language } = useWords();
  const { can } = useSession();
  const now_ms = useNow_ms();
  const [scanning, setScanning] = useState<Scanned | null>(null);
  const order = detail.work_order;
  const { site } = order.facility;
  const mayArrive = order.legal_moves.includes('arrive') && can('work', site);
  const mayWitness = order.arrived_at !== null && order.ended_at === null && can('verify', site);
  const there = detail.journal.filter(isOfPresence);
  const scan = (what: Scanned) => {
    wake();
    setScanning(what);
  };
  if (!mayArrive && !mayWitness && there.length === 0) return null;
  return (
    <section className="panel presence" aria-label={say('presence')}>
      <h3>{say('presence')}</h3>
      {there.length === 0 && <p className="faint">{say('nobody_there')}</p>}
      <ul className="lines">
        {there.map(each => (
          <li key={each.seq}>
            <strong>
              {say(each.move === 'witness' ? 'witnessed' : 'arrived')} {each.actor}
            </strong>
            <span className={each.detail.means === 'camera' ? 'faint' : 'presence-unseen'}>
              {say(`means_${each.detail.means ?? 'none'}` as keyof typeof TEXTS, {
                tag: String(each.detail.tag ?? ''),
              })}
            </span>
            <span className="faint">{moment(language, each.at, now_ms)}</span>
          </li>
        ))}
      </ul>
      {mayArrive && (
        <Button type="primary" className="papers-do presence-scan" onClick={() => scan('arrival')}>
          {say('scan_arrival')}
        </Button>
      )}
      {mayWitness && (
        <Button className="papers-do presence-scan" onClick={() => scan('witness')}>
          {say('scan_witness')}
        </Button>
      )}
      {scanning !== null && <Scanning detail={detail} what={scanning} onClose={() => setScanning(null)} />}
    </section>
  );
}
