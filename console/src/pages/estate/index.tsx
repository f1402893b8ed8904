import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { Link } from 'react-router';
import { useExplained } from '../../api/problem';
import type { FacilityOut, LocationOut } from '../../api/schema';
import { Waiting } from '../../app/Waiting';
import { GradeMark } from '../../drawn/GradeMark';
import { facilitiesOf, type SiteWithPlaces, useSites } from '../../estate/estate';
import { grouped } from '../../estate/grouped';
import { isMeasured, places } from '../../estate/rooms';
import { useSession } from '../../session/session';
import { useServiceWords } from '../../words/vocabulary';
import { useTexts, useWords } from '../../words/words';
import { TEXTS } from './texts';
import '../../app/panels.css';
import './estate.css';

/** Sites, the places in them, and what stands there: unfolded step by step, each site's facilities when it is opened. */
export default function Estate() {
  const say = useTexts(TEXTS);
  const explained = useExplained();
  const { can } = useSession();
  const sites = useSites();
  if (sites.isPending) return <Waiting />;
  if (sites.data === undefined)
    return (
      <p className="refused" role="alert">
        {explained(sites.error)}
      </p>
    );
  return (
    <div className="estate">
      {can('estate') && (
        <p className="estate-hint faint">
          {say('change_hint')} <Link to="/import">{say('change')}</Link>
        </p>
      )}
      {sites.data.length === 0 && <p>{say('none')}</p>}
      {sites.data.map(each => (
        <Site key={each.site.key} found={each} />
      ))}
    </div>
  );
}

function Site({ found: { site, places: tree } }: { found: SiteWithPlaces }) {
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const explained = useExplained();
  const [open, setOpen] = useState(false);
  const facilities = useQuery({
    queryKey: ['estate', 'tree', site.key],
    enabled: open,
    queryFn: () => facilitiesOf(site.key),
  });
  const here = useMemo(() => grouped(facilities.data?.items ?? [], facility => facility.location), [facilities.data]);
  return (
    <details className="panel branch" onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        <strong>{of(site.name)}</strong> <code>{site.key}</code>
        <span className="faint">
          {say('places', { n: places(tree).length })}
          {facilities.data && ` · ${say('facilities', { n: facilities.data.items.length })}`} ·{' '}
          {say('round_at', { at: site.round_at.slice(0, 5), zone: site.time_zone })}
        </span>
      </summary>
      <p className="branch-links">
        <Link to={`/facilities?site=${site.key}`}>{say('list')}</Link>
        <Link to={`/policy?site=${site.key}`}>{say('contract')}</Link>
      </p>
      {facilities.isError && <p role="alert">{explained(facilities.error)}</p>}
      {open && facilities.isPending && <Waiting />}
      {facilities.data?.complete === false && <p className="notice">{say('incomplete')}</p>}
      {facilities.data && tree.map(each => <Place key={each.key} site={site.key} place={each} here={here} />)}
    </details>
  );
}

type Here = ReadonlyMap<string, readonly FacilityOut[]>;

/** How many stand in it, and in the places in it. */
function within(place: LocationOut, here: Here): number {
  return places([place]).reduce((sum, each) => sum + (here.get(each.location.key)?.length ?? 0), 0);
}

function Place({ site, place, here }: { site: string; place: LocationOut; here: Here }) {
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const [open, setOpen] = useState(false);
  const mine = here.get(place.key) ?? [];
  return (
    <details className="branch" onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        {of(place.name)} <code>{place.key}</code>
        <span className="faint">{say('facilities', { n: within(place, here) })}</span>
      </summary>
      {open && (
        <div className="branch-inside">
          {mine.some(isMeasured) && (
            <p className="branch-links">
              <Link to={`/rooms/${site}/${place.key}`}>{say('drawing')}</Link>
            </p>
          )}
          {place.locations.map(each => (
            <Place key={each.key} site={site} place={each} here={here} />
          ))}
          <Facilities facilities={mine} />
          {mine.length + place.locations.length === 0 && <p className="faint">{say('empty')}</p>}
        </div>
      )}
    </details>
  );
}

function Facilities({ facilities }: { facilities: readonly FacilityOut[] }) {
  const { of } = useWords();
  const { kind } = useServiceWords();
  if (facilities.length === 0) return null;
  return (
    <ul className="leaves">
      {facilities.map(each => (
        <li key={each.key}>
          <GradeMark grade={each.grade} />
          <Link to={`/facilities/${each.site}/${each.key}`}>{of(each.name)}</Link>
          <code>{each.key}</code>
          <span className="faint">{kind(each.kind)}</span>
        </li>
      ))}
    </ul>
  );
}
