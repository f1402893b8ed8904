/** Pictures on their way to the service: made smaller where they are large, and sent as the body itself. */

/** Larger ones are made smaller before they are sent: a basement's signal is weak, and nobody needs 40 million points. */
const SENT_AS_IT_IS_BYTES = 1_500_000;
const SIDE_MAX = 2_400;

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
export const raw = (blob: Blob) => ({
  body: blob as unknown as string,
  bodySerializer: () => blob,
  headers: { 'Content-Type': blob.type },
});
