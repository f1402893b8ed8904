import { type CSSProperties, useMemo } from 'react';
import type { FacilityOut } from '../../api/schema';
import { Waiting } from '../../app/Waiting';
import {
  keyOf,
  type SiteWithPlaces,
  useAlarmsByFacility,
  useFacilities,
  useOpenAlarms,
  useSites,
} from '../../estate/estate';
import { type Room, rooms } from '../../estate/rooms';
import { byUrgency, isHidden, type Standing, standing } from '../../estate/standing';
import { LiveBanner } from '../../live/LiveMark';
import { useLiveState } from '../../live/live';
import { useWords } from '../../words/words';
import { fitting } from './fitting';
import { useAwake, useDark, useLasting, useSize } from './lasting';
import { RoomTile } from './RoomTile';
import { Top } from './Top';
import { WorstAlarms } from './WorstAlarms';
import './wall.css';

type Shown = {
  readonly site: SiteWithPlaces;
  readonly rooms: readonly { readonly room: Room; readonly how: Standing }[];
};

/** The estate from three metres away. Nobody touches it: it fits, it says when it is stale, and it goes on by itself. */
export default function Wall() {
  const { t, of } = useWords();
  const { health } = useLiveState();
  const [dark, turn] = useDark();
  useLasting();
  useAwake();
  const sites = useSites();
  const facilities = useFacilities();
  const alarms = useOpenAlarms();
  const byFacility = useAlarmsByFacility(alarms.data?.items);
  const shown = useMemo<readonly Shown[]>(
    () =>
      (sites.data ?? []).map(site => ({
        site,
        rooms: rooms(site.site.key, site.places, facilities.data?.items ?? []).map(room => ({
          room,
          how: standing(
            room.facilities,
            room.facilities.flatMap(facility => byFacility.get(keyOf(facility)) ?? []),
          ),
        })),
      })),
    [sites.data, facilities.data, byFacility],
  );
  const asking = useMemo(
    () => (alarms.data?.items ?? []).filter(alarm => !isHidden(alarm)).sort(byUrgency),
    [alarms.data],
  );
  const placeOf = useMemo(
    () => new Map((facilities.data?.items ?? []).map((each: FacilityOut) => [keyOf(each), of(each.location_name)])),
    [facilities.data, of],
  );
  const siteOf = useMemo(
    () => new Map((sites.data ?? []).map(({ site }) => [site.key, of(site.name)])),
    [sites.data, of],
  );
  const old = sites.isError || facilities.isError || alarms.isError || health === 'broken' || health === 'deaf';
  if (!sites.data || !facilities.data || !alarms.data) return <Waiting />;
  return (
    <main className={`wall${dark ? ' wall-dark' : ''}${old ? ' wall-old' : ''}`}>
      <Top alarms={asking} onDark={turn} />
      <LiveBanner />
      {!(facilities.data.complete && alarms.data.complete) && <div className="live-banner">{t('wall.too_much')}</div>}
      <div className="wall-body">
        <Rooms shown={shown} />
        <WorstAlarms alarms={asking} placeOf={placeOf} siteOf={siteOf} />
      </div>
    </main>
  );
}

function Rooms({ shown }: { shown: readonly Shown[] }) {
  const { of } = useWords();
  const [grid, { width, height }] = useSize();
  const counts = shown.map(each => each.rooms.length);
  const { columns } = fitting(counts, width || 16, height || 9);
  return (
    <div className="sites" ref={grid}>
      {shown.map(({ site, rooms: tiles }) => (
        <section
          key={site.site.key}
          className="site"
          style={{ flexGrow: Math.ceil(tiles.length / columns) }}
          aria-label={of(site.site.name)}
        >
          <h2 className="site-name">{of(site.site.name)}</h2>
          <div className="tiles" style={{ '--columns': columns } as CSSProperties}>
            {tiles.map(({ room, how }) => (
              <RoomTile key={room.key} room={room} how={how} />
            ))}
          </div>
        </section>
      ))}
    </div>
  );
}
