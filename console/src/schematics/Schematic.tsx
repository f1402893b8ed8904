import type { ComponentType } from 'react';
import { Booster } from './Booster';
import { Distribution } from './Distribution';
import { FirePumps } from './FirePumps';
import { Lift } from './Lift';
import type { Drawn } from './points';
import { Plain, Vessel } from './Simple';
import './schematics.css';

const BY_KIND: Readonly<Record<string, ComponentType<{ drawn: Drawn }>>> = {
  booster_pump_room: Booster,
  fire_pump_room: FirePumps,
  distribution_room: Distribution,
  elevator: Lift,
  drainage_sump: Vessel,
  fire_water_tank: Vessel,
};

/** A facility drawn by its kind, quiet grey, with its values where they are measured. */
export function Schematic({ drawn }: { drawn: Drawn }) {
  const Drawing = BY_KIND[drawn.facility.kind] ?? Plain;
  return <Drawing drawn={drawn} />;
}
