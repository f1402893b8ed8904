import { Input, Select } from 'antd';
import { useMemo } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useExplained } from '../../api/problem';
import type { FacilityOut } from '../../api/schema';
import { Waiting } from '../../app/Waiting';
import { GradeMark } from '../../drawn/GradeMark';
import { PriorityMark } from '../../drawn/PriorityMark';
import {
  keyOf,
  type SiteWithPlaces,
  useAlarmsByFacility,
  useFacilities,
  useOpenAlarms,
  useSites,
} from '../../estate/estate';
import { places, type Room, rooms } from '../../estate/rooms';
import { type Standing, standing } from '../../estate/standing';
import { useServiceWords } from '../../words/vocabulary';
import { useTexts, useWords } from '../../words/words';
import { TEXTS } from './texts';
import './facilities.css';

const SHOWN_MAX = 300;
const FITNESS = ['unfit', 'out_of_use', 'faulty', 'fit'] as const;

/** Sites, their rooms and what stands in them, with how it is; found by any part of a name. */
export default function Facilities() {
  const { t, of } = useWords();
  const say = useTexts(TEXTS);
  const { kind } = useServiceWords();
  const explained = useExplained();
  const [asked, ask] = useSearchParams();
  const sites = useSites();
  const facilities = useFacilities();
  const alarms = useOpenAlarms();
  const byFacility = useAlarmsByFacility(alarms.data?.items);
  const wanted = {
    words: asked.get('words') ?? '',
    site: asked.get('site') ?? '',
    kind: asked.get('kind') ?? '',
    place: asked.get('place') ?? '',
    fitness: asked.get('fitness') ?? '',
  };
  const matching = useMemo(
    () =>
      (facilities.data?.items ?? []).filter(
        each =>
          isAsFit(each, wanted.fitness) &&
          matches(each, wanted.words, wanted.site, wanted.kind, below(sites.data ?? [], wanted.site, wanted.place)),
      ),
    [facilities.data, sites.data, wanted.words, wanted.site, wanted.kind, wanted.place, wanted.fitness],
  );
  const kinds = useMemo(
    () => [...new Set((facilities.data?.items ?? []).map(each => each.kind))].sort(),
    [facilities.data],
  );
  const change = (name: string, value: string) => {
    const next = new URLSearchParams(asked);
    if (value === '') next.delete(name);
    else next.set(name, value);
    if (name === 'site') next.delete('place');
    ask(next, { replace: true });
  };
  if (sites.isError || facilities.isError) return <p role="alert">{explained(sites.error ?? facilities.error)}</p>;
  if (!sites.data || !facilities.data) return <Waiting />;
  let left = SHOWN_MAX;
  return (
    <div className="places">
      <div className="places-tools">
        <Input.Search
          allowClear
          value={wanted.words}
          onChange={event => change('words', event.target.value)}
          placeholder={t('places.search')}
          aria-label={t('places.search')}
          maxLength={100}
        />
        <Select
          value={wanted.site}
          onChange={value => change('site', value)}
          aria-label={t('places.site')}
          options={[
            { value: '', label: t('places.every_site') },
            ...sites.data.map(({ site }) => ({ value: site.key, label: of(site.name) })),
          ]}
        />
        <Select
          value={wanted.kind}
          onChange={value => change('kind', value)}
          aria-label={t('facility.kind')}
          options={[
            { value: '', label: t('places.every_kind') },
            ...kinds.map(each => ({ value: each, label: kind(each) })),
          ]}
          showSearch={{ optionFilterProp: 'label' }}
        />
        <Select
          value={wanted.fitness}
          onChange={value => change('fitness', value)}
          aria-label={say('fitness')}
          options={[
            { value: '', label: say('every_fitness') },
            ...FITNESS.map(each => ({ value: each, label: say(`fitness_${each}`) })),
          ]}
        />
        <span className="places-count">{t('places.found', { n: matching.length })}</span>
      </div>
      {sites.data.map(site => {
        const found = rooms(site.site.key, site.places, matching);
        if (found.length === 0) return null;
        return (
          <section key={site.site.key} aria-label={of(site.site.name)}>
            <h2 className="places-site">{of(site.site.name)}</h2>
            {found.map(room => {
              const shown = room.facilities.slice(0, Math.max(0, left));
              left -= shown.length;
              if (shown.length === 0) return null;
              const how = standing(
                room.facilities,
                room.facilities.flatMap(each => byFacility.get(keyOf(each)) ?? []),
              );
              return <RoomOf key={room.key} room={room} shown={shown} how={how} byFacility={byFacility} />;
            })}
          </section>
        );
      })}
      {matching.length > SHOWN_MAX && (
        <p className="places-count">{t('places.narrower', { n: SHOWN_MAX, all: matching.length })}</p>
      )}
      {matching.length === 0 && <p className="places-count">{t('places.none')}</p>}
    </div>
  );
}

/** What nobody ever found anything wrong with is fit. */
function isAsFit(facility: FacilityOut, wanted: string): boolean {
  const state = facility.fitness?.state ?? 'fit';
  return wanted === '' || state === wanted || (wanted === 'unfit' && state !== 'fit');
}

function matches(
  facility: FacilityOut,
  words: string,
  site: string,
  kind: string,
  inside: ReadonlySet<string> | null,
): boolean {
  if ((site !== '' && facility.site !== site) || (kind !== '' && facility.kind !== kind)) return false;
  if (inside !== null && !inside.has(facility.location)) return false;
  const text = [facility.key, facility.name.zh, facility.name.en, facility.location_name.zh, facility.location_name.en]
    .join(' ')
    .toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every(word => text.includes(word));
}

/** The place and everything in it; null: none was asked for. */
function below(sites: readonly SiteWithPlaces[], site: string, place: string): ReadonlySet<string> | null {
  if (place === '') return null;
  const known = places(sites.find(each => each.site.key === site)?.places ?? []);
  return new Set(
    known
      .filter(each => each.location.key === place || each.way.some(outer => outer.key === place))
      .map(each => each.location.key),
  );
}

function RoomOf({
  room,
  shown,
  how,
  byFacility,
}: {
  room: Room;
  shown: readonly FacilityOut[];
  how: Standing;
  byFacility: ReadonlyMap<string, Parameters<typeof standing>[1]>;
}) {
  const { t, of } = useWords();
  const name = (
    <>
      {how.first && <PriorityMark priority={how.first.priority} hollow={how.unanswered === 0} />}{' '}
      <strong>{of(room.name)}</strong>{' '}
      <span className="places-count">
        {room.way.map(of).join(' / ')} ·{' '}
        {t(room.walked ? 'wall.walked' : 'wall.facilities', { n: room.facilities.length })}
        {how.alarms.length > 0 && ` · ${t('wall.alarms', { n: how.alarms.length })}`}
      </span>
    </>
  );
  return (
    <details className="place" open={!room.walked || shown.length <= 12}>
      <summary>{name}</summary>
      {!room.walked && (
        <Link className="place-link" to={`/rooms/${room.site}/${room.key}`}>
          {t('places.drawing')}
        </Link>
      )}
      <ul className="facility-list">
        {shown.map(facility => (
          <FacilityLine
            key={facility.key}
            facility={facility}
            how={standing([facility], byFacility.get(keyOf(facility)) ?? [])}
          />
        ))}
      </ul>
    </details>
  );
}

function FacilityLine({ facility, how }: { facility: FacilityOut; how: Standing }) {
  const { t, of } = useWords();
  return (
    <li>
      <Link to={`/facilities/${facility.site}/${facility.key}`} className="facility-line">
        <GradeMark grade={facility.grade} />
        <span className="facility-name">{of(facility.name)}</span>
        <span className="facility-kind">{of(facility.kind_name)}</span>
        <span className="facility-how">
          {how.first ? (
            <>
              <PriorityMark priority={how.first.priority} hollow={how.unanswered === 0} /> {of(how.first.title)}
              {how.alarms.length > 1 && ` +${how.alarms.length - 1}`}
            </>
          ) : how.silent > 0 ? (
            <span className="facility-silent">{t('gateway.offline')}</span>
          ) : (
            <span className="places-count">{facility.gateway ? t('places.quiet') : ''}</span>
          )}
          {facility.fitness !== null && facility.fitness.state !== 'fit' && (
            <span className="facility-unfit"> {of(facility.fitness.state_name)}</span>
          )}
          {facility.open_work_orders > 0 && (
            <span className="places-count"> {t('places.orders', { n: facility.open_work_orders })}</span>
          )}
        </span>
      </Link>
    </li>
  );
}
