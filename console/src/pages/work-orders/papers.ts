/** What belongs to an order beside its moves, as it is sent: pictures as the body itself, the rest as JSON. */
import { api, given } from '../../api/client';
import { raw } from '../../deeds/pictures';
import type { Detail, Order, State } from './orders';

export type Stage = Detail['photos'][number]['stage'];

const IN_HAND: readonly State[] = ['accepted', 'arrived', 'planned', 'suspended', 'resolved', 'verified'];
const RESOLVED: readonly State[] = ['resolved', 'verified', 'closed'];

export const isInHand = (order: Order) => IN_HAND.includes(order.state);
export const isResolved = (order: Order) => RESOLVED.includes(order.state);

export const pictureAt = (order: number, sha256: string, small = false) =>
  `/api/v1/work-orders/${order}/pictures/${sha256}${small ? '?small=true' : ''}`;

export function sendPhoto(order: number, stage: Stage, blob: Blob, key: string): Promise<Detail> {
  const params = { path: { order }, query: { stage }, header: { 'idempotency-key': key } };
  return given(api.POST('/api/v1/work-orders/{order}/photos', { params, ...raw(blob) }));
}

export function sendSignature(order: number, signer: string, blob: Blob, key: string): Promise<Detail> {
  const params = { path: { order }, query: { signer }, header: { 'idempotency-key': key } };
  return given(api.POST('/api/v1/work-orders/{order}/signatures', { params, ...raw(blob) }));
}
