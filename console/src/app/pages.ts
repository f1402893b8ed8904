import {
  AlertOutlined,
  ApartmentOutlined,
  ApiOutlined,
  AuditOutlined,
  ClusterOutlined,
  ControlOutlined,
  EyeInvisibleOutlined,
  FileDoneOutlined,
  FundProjectionScreenOutlined,
  InboxOutlined,
  SafetyCertificateOutlined,
  TeamOutlined,
  ToolOutlined,
  UploadOutlined,
} from '@ant-design/icons';
import type { ComponentType } from 'react';
import type { Right } from '../session/me';
import type { Word } from '../words/catalogue';

export type Group = 'nav.watch' | 'nav.work' | 'nav.estate' | 'nav.administration';

export type Page = {
  /** As react-router writes it: `facilities/:site/:facility`. */
  readonly path: string;
  /** Its name in the menu and above the page. */
  readonly word: Word;
  /** Where it stands in the menu; without one it is reached by links only. */
  readonly menu?: { readonly group: Group; readonly icon: ComponentType };
  /** Who may not do this at any site is not offered the page. */
  readonly right: Right;
  /** Without menu and header, as on a wall. */
  readonly bare?: boolean;
  readonly load: () => Promise<{ default: ComponentType }>;
};

/** Every page there is, in the order of the menu. A new one is a folder under pages/ and a line here. */
export const PAGES: readonly Page[] = [
  {
    path: 'alarms',
    word: 'nav.alarms',
    menu: { group: 'nav.watch', icon: AlertOutlined },
    right: 'read',
    load: () => import('../pages/alarms'),
  },
  {
    path: 'shelf',
    word: 'nav.shelf',
    menu: { group: 'nav.watch', icon: EyeInvisibleOutlined },
    right: 'read',
    load: () => import('../pages/shelf'),
  },
  {
    path: 'wall',
    word: 'nav.wall',
    menu: { group: 'nav.watch', icon: FundProjectionScreenOutlined },
    right: 'read',
    bare: true,
    load: () => import('../pages/wall'),
  },
  {
    path: 'work-orders',
    word: 'nav.work_orders',
    menu: { group: 'nav.work', icon: ToolOutlined },
    right: 'read',
    load: () => import('../pages/work-orders'),
  },
  {
    path: 'work-orders/:order',
    word: 'orders.one',
    right: 'read',
    load: () => import('../pages/work-orders/order'),
  },
  {
    path: 'facilities',
    word: 'nav.facilities',
    menu: { group: 'nav.estate', icon: ClusterOutlined },
    right: 'read',
    load: () => import('../pages/facilities'),
  },
  {
    path: 'rooms/:site/:room',
    word: 'nav.room',
    right: 'read',
    load: () => import('../pages/room'),
  },
  {
    path: 'facilities/:site/:facility',
    word: 'nav.facility',
    right: 'read',
    load: () => import('../pages/facility'),
  },
  {
    path: 'permits',
    word: 'nav.permits',
    menu: { group: 'nav.work', icon: SafetyCertificateOutlined },
    right: 'read',
    load: () => import('../pages/permits'),
  },
  {
    path: 'inspection',
    word: 'nav.inspection',
    menu: { group: 'nav.work', icon: FileDoneOutlined },
    right: 'read',
    load: () => import('../pages/inspection'),
  },
  {
    path: 'inspection/:report',
    word: 'nav.inspection',
    right: 'read',
    load: () => import('../pages/inspection/report'),
  },
  {
    path: 'quarantine',
    word: 'nav.quarantine',
    menu: { group: 'nav.estate', icon: InboxOutlined },
    right: 'read',
    load: () => import('../pages/quarantine'),
  },
  {
    path: 'import',
    word: 'nav.import',
    menu: { group: 'nav.estate', icon: UploadOutlined },
    right: 'estate',
    load: () => import('../pages/import'),
  },
  {
    path: 'estate',
    word: 'nav.tree',
    menu: { group: 'nav.estate', icon: ApartmentOutlined },
    right: 'read',
    load: () => import('../pages/estate'),
  },
  {
    path: 'policy',
    word: 'nav.policy',
    menu: { group: 'nav.administration', icon: ControlOutlined },
    right: 'read',
    load: () => import('../pages/policy'),
  },
  {
    path: 'shelving-rights',
    word: 'nav.shelving_rights',
    menu: { group: 'nav.administration', icon: EyeInvisibleOutlined },
    right: 'read',
    load: () => import('../pages/shelving-rights'),
  },
  {
    path: 'people',
    word: 'nav.people',
    menu: { group: 'nav.administration', icon: TeamOutlined },
    right: 'people',
    load: () => import('../pages/people'),
  },
  {
    path: 'tokens',
    word: 'nav.tokens',
    menu: { group: 'nav.administration', icon: ApiOutlined },
    right: 'tokens',
    load: () => import('../pages/tokens'),
  },
  {
    path: 'audit-log',
    word: 'nav.audit_log',
    menu: { group: 'nav.administration', icon: AuditOutlined },
    right: 'audit',
    load: () => import('../pages/audit-log'),
  },
];
