import type { FacilityOut, LocationOut } from '../api/schema';
import type { Name } from '../words/words';
import { grouped } from './grouped';

/** A place with what is in it. `way`: the places around it, outermost first. */
export type Room = {
  readonly site: string;
  readonly key: string;
  readonly name: Name;
  readonly way: readonly Name[];
  /** Nothing there reports by itself. */
  readonly walked: boolean;
  readonly facilities: readonly FacilityOut[];
};

type Place = { readonly location: LocationOut; readonly way: readonly LocationOut[] };

export function places(tree: readonly LocationOut[], way: readonly LocationOut[] = []): Place[] {
  return tree.flatMap(location => [{ location, way }, ...places(location.locations, [...way, location])]);
}

/** It reports by itself, or is what others report through. */
export const isMeasured = (facility: FacilityOut) =>
  facility.gateway !== null || facility.kind === 'gateway' || facility.kind === 'ingest_service';

/**
 * The rooms of a site, in the order of its tree: one for each place where something reports by itself, and one for each
 * building or area with all in it that is only walked to: hundreds of extinguishers on as many floors are one tile.
 */
export function rooms(site: string, tree: readonly LocationOut[], facilities: readonly FacilityOut[]): Room[] {
  const here = facilities.filter(facility => facility.site === site);
  const known = places(tree);
  const placeOf = new Map(known.map(place => [place.location.key, place]));
  const measured = grouped(here.filter(isMeasured), facility => facility.location);
  const walked = grouped(
    here.filter(facility => !isMeasured(facility)),
    facility => (placeOf.get(facility.location)?.way[0] ?? placeOf.get(facility.location)?.location)?.key ?? '',
  );
  return known.flatMap(({ location, way }) => {
    const reporting = measured.get(location.key) ?? [];
    const passive = walked.get(location.key) ?? [];
    if (reporting.length + passive.length === 0) return [];
    return [
      {
        site,
        key: location.key,
        name: location.name,
        way: way.map(each => each.name),
        walked: reporting.length === 0,
        facilities: [...reporting, ...passive],
      },
    ];
  });
}
