import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { Link, useParams } from 'react-router';
import { api, given } from '../../api/client';
import { useExplained } from '../../api/problem';
import type { AlarmRow, FacilityOut } from '../../api/schema';
import { Waiting } from '../../app/Waiting';
import { GradeMark } from '../../drawn/GradeMark';
import { PriorityMark } from '../../drawn/PriorityMark';
import { useSites } from '../../estate/estate';
import { useAlarmRows, VALUES_EVERY_MS } from '../../estate/facility';
import { isMeasured, places } from '../../estate/rooms';
import { abnormal, byUrgency, isHidden, isUnanswered } from '../../estate/standing';
import { drawn } from '../../schematics/points';
import { Schematic } from '../../schematics/Schematic';
import { useWords } from '../../words/words';
import './room.css';

const FACILITIES_MAX = 100;

/** A room as it is built, with the values where they are measured. */
export default function RoomPage() {
  const { site = '', room = '' } = useParams();
  const { t, of } = useWords();
  const explained = useExplained();
  const sites = useSites();
  const rows = useAlarmRows(site);
  const found = useQuery({
    queryKey: ['room', site, room],
    queryFn: () =>
      given(
        api.GET('/api/v1/facilities', {
          params: { query: { site, location: room, values: true, limit: FACILITIES_MAX } },
        }),
      ),
    refetchInterval: VALUES_EVERY_MS,
    staleTime: 0,
    placeholderData: keepPreviousData,
  });
  if (found.isError && !found.data) return <p role="alert">{explained(found.error)}</p>;
  if (!found.data || sites.isPending) return <Waiting />;
  const home = sites.data?.find(each => each.site.key === site);
  const place = places(home?.places ?? []).find(each => each.location.key === room);
  const facilities = found.data.items;
  const measured = facilities.filter(isMeasured);
  const walked = facilities.length - measured.length;
  return (
    <div className="room">
      <h2 className="room-name">
        {place && of(place.location.name)}{' '}
        <small>
          {[home && of(home.site.name), ...(place?.way ?? []).map(each => of(each.name))].filter(Boolean).join(' / ')}
        </small>
      </h2>
      {found.isError && (
        <p role="alert" className="room-old">
          {t('facility.stale')}
        </p>
      )}
      <div className="drawings">
        {measured.map(facility => (
          <Drawing key={facility.key} facility={facility} rows={rows.data ?? []} />
        ))}
      </div>
      {walked > 0 && (
        <p>
          <Link to={`/facilities?site=${site}&place=${room}`}>{t('wall.walked', { n: walked })}</Link>
        </p>
      )}
      {facilities.length === 0 && <p>{t('places.none')}</p>}
    </div>
  );
}

function Drawing({ facility, rows }: { facility: FacilityOut; rows: readonly AlarmRow[] }) {
  const { of } = useWords();
  const mine = useMemo(
    () =>
      rows
        .filter(row => row.alarm.facility.key === facility.key && !isHidden(row.alarm))
        .sort((one, other) => byUrgency(one.alarm, other.alarm)),
    [rows, facility.key],
  );
  const wrong = useMemo(() => abnormal(mine), [mine]);
  return (
    <article className="drawing-box">
      <h3>
        <Link to={`/facilities/${facility.site}/${facility.key}`}>
          <GradeMark grade={facility.grade} /> {of(facility.name)}
        </Link>
      </h3>
      {mine.length > 0 && (
        <ul className="drawing-alarms">
          {mine.slice(0, 4).map(({ alarm }) => (
            <li key={alarm.id}>
              <PriorityMark priority={alarm.priority} hollow={!isUnanswered(alarm)} /> {of(alarm.title)}
            </li>
          ))}
        </ul>
      )}
      <Schematic drawn={drawn(facility, wrong)} />
    </article>
  );
}
