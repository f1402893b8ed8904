/** What belongs to an order beside its moves, as it is sent: pictures as the body itself, the rest as JSON. */
import { api, given } from '../../api/client';
import type { Detail, Order, State } from './orders';

export type Stage = Detail['photos'][number]['stage'];

/** Larger ones are made smaller before they are sent: a basement's signal is weak, and nobody needs 40 million points. */
const SENT_AS_IT_IS_BYTES = 1_500_000;
const SIDE_MAX = 2_400;

const IN_HAND: readonly State[] = ['accepted', 'arrived', 'planned', 'suspended', 'resolved', 'verified'];
const RESOLVED: readonly State[] = ['resolved', 'verified', 'closed'];

export const isInHand = (order: Order) => IN_HAND.includes(order.state);
export const isResolved = (order: Order) => RESOLVED.includes(order.state);

export const pictureAt = (order: number, sha256: string, small = false) =>
  `/api/v1/work-orders/${order}/pictures/${sha256}${small ? '?small=true' : ''}`;

/** The picture as it is sent. Throws where the browser cannot read it. */
export async function ready(file: Blob): Promise<Blob> {
  if (file.size <= SENT_AS_IT_IS_BYTES && ['image/jpeg', 'image/png', 'image/webp'].includes(file.type)) return file;
  const image = await createImageBitmap(file, { imageOrientation: 'from-image' });
  const scale = Math.min(1, SIDE_MAX / Math.max(image.width, image.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  return blobOf(canvas, 'image/jpeg');
}

export function blobOf(canvas: HTMLCanvasElement, type: 'image/jpeg' | 'image/png'): Promise<Blob> {
  return new Promise((resolve, reject) =>
    canvas.toBlob(blob => (blob === null ? reject(new Error('no picture')) : resolve(blob)), type, 0.85),
  );
}

/** The generated types call a picture a string; it is sent as it is. */
const raw = (blob: Blob) => ({
  body: blob as unknown as string,
  bodySerializer: () => blob,
  headers: { 'Content-Type': blob.type },
});

export function sendPhoto(order: number, stage: Stage, blob: Blob, key: string): Promise<Detail> {
  const params = { path: { order }, query: { stage }, header: { 'idempotency-key': key } };
  return given(api.POST('/api/v1/work-orders/{order}/photos', { params, ...raw(blob) }));
}

export function sendSignature(order: number, signer: string, blob: Blob, key: string): Promise<Detail> {
  const params = { path: { order }, query: { signer }, header: { 'idempotency-key': key } };
  return given(api.POST('/api/v1/work-orders/{order}/signatures', { params, ...raw(blob) }));
}
