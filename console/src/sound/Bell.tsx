import { BellOutlined, MutedOutlined, SoundOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { Link } from 'react-router';
import { api, given } from '../api/client';
import { useNarrow } from '../app/theme';
import { useLiveQueries } from '../live/live';
import { useWords } from '../words/words';
import { type Loudness, Siren } from './siren';

const SOUNDING = ['sounding'] as const;
const COUNTED_MAX = 200;
const KEPT_AS = 'taizhang.muted';

/** Alarms that stand and that nobody has acknowledged; not those that are normal again. */
function useSounding() {
  useLiveQueries(['alarm'], SOUNDING, 300);
  return useQuery({
    queryKey: SOUNDING,
    queryFn: () =>
      given(api.GET('/api/v1/alarms', { params: { query: { open: true, shown: ['UNACK'], limit: COUNTED_MAX } } })),
  }).data?.items;
}

function loudness(priorities: readonly string[]): Loudness | null {
  if (priorities.length === 0) return null;
  return priorities.includes('urgent') ? 'urgent' : priorities.includes('high') ? 'high' : 'other';
}

/** In the header of every page: how many alarms wait for somebody, and whether they are heard here. */
export function Bell() {
  const { t } = useWords();
  const narrow = useNarrow();
  const [siren] = useState(() => new Siren());
  const [muted, setMuted] = useState(() => localStorage.getItem(KEPT_AS) === 'yes');
  const alarms = useSounding();
  const state = useSyncExternalStore(siren.watch, () => siren.state);
  const rung = alarms?.filter(alarm => alarm.rang_at !== null) ?? [];
  const wanted = muted ? null : loudness(rung.map(alarm => alarm.priority));
  useEffect(() => siren.sound(wanted), [siren, wanted]);
  useEffect(() => () => siren.sound(null), [siren]);
  useEffect(() => {
    for (const touch of ['pointerdown', 'keydown'] as const) addEventListener(touch, siren.unblock);
    return () => {
      for (const touch of ['pointerdown', 'keydown'] as const) removeEventListener(touch, siren.unblock);
    };
  }, [siren]);
  const mute = (silent: boolean) => {
    setMuted(silent);
    localStorage.setItem(KEPT_AS, silent ? 'yes' : 'no');
  };
  const count = alarms === undefined ? '…' : alarms.length < COUNTED_MAX ? alarms.length : `${COUNTED_MAX}+`;
  return (
    <>
      {state === 'blocked' && (
        <Button
          size="small"
          danger
          icon={<SoundOutlined aria-hidden="true" />}
          title={t('sound.blocked')}
          aria-label={t('sound.blocked')}
          onClick={siren.unblock}
        >
          {t(narrow ? 'sound.blocked_short' : 'sound.blocked')}
        </Button>
      )}
      <Link
        to="/alarms"
        className={rung.length > 0 ? 'bell bell-rings' : 'bell'}
        aria-label={t('sound.waiting', { n: count })}
        title={t('sound.waiting', { n: count })}
      >
        <BellOutlined aria-hidden="true" /> {count}
      </Link>
      <Button
        type="text"
        icon={muted ? <MutedOutlined aria-hidden="true" /> : <SoundOutlined aria-hidden="true" />}
        aria-label={t(muted ? 'sound.on' : 'sound.off')}
        title={t(muted ? 'sound.on' : 'sound.off')}
        aria-pressed={!muted}
        onClick={() => mute(!muted)}
      />
    </>
  );
}
