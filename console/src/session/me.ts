import type { Me, SiteRights } from '../api/schema';

export type { Me };
/** The service's own enumeration (api/rights.py). */
export type Right = SiteRights['rights'][number];
