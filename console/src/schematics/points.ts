import type { FacilityOut, Priority, Value } from '../api/schema';
import { grouped } from '../estate/grouped';
import { bare } from '../estate/values';
import type { Name } from '../words/words';

export type Part = {
  readonly key: string;
  readonly kind: string;
  readonly name: Name;
  readonly points: ReadonlyMap<string, Value>;
};

/** The values of one facility, as drawings ask for them. `wrong`: the priority of the alarm that rests on a point. */
export type Drawn = {
  readonly facility: FacilityOut;
  readonly own: ReadonlyMap<string, Value>;
  readonly parts: readonly Part[];
  readonly wrong: ReadonlyMap<string, Priority>;
};

export function drawn(facility: FacilityOut, wrong: ReadonlyMap<string, Priority>): Drawn {
  const byPart = grouped(facility.values ?? [], value => value.part);
  const own = new Map((byPart.get(null) ?? []).map(value => [value.point, value]));
  const parts = [...byPart].flatMap(([key, values]) => {
    const first = values[0];
    if (key === null || !first) return [];
    const points = new Map(values.map(value => [bare(value.point), value]));
    return [{ key, kind: first.part_kind ?? '', name: first.part_name ?? { zh: key, en: key }, points }];
  });
  return { facility, own, parts, wrong };
}

export const isOn = (value: Value | undefined) => value?.value === true;
