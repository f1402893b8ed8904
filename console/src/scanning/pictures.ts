/** Frames of the camera and picture files, drawn to a size that is quick to read and light to send. */

const READ_PX_MAX = 960;
const PHOTO_PX_MAX = 1600;
const JPEG_QUALITY = 0.8;

function scaled(width: number, height: number, most: number): [number, number] {
  const factor = Math.min(1, most / Math.max(width, height, 1));
  return [Math.round(width * factor), Math.round(height * factor)];
}

function drawn(source: CanvasImageSource, width: number, height: number, most: number, onto?: HTMLCanvasElement) {
  const canvas = onto ?? document.createElement('canvas');
  [canvas.width, canvas.height] = scaled(width, height, most);
  canvas.getContext('2d', { willReadFrequently: true })?.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

export function frameOf(video: HTMLVideoElement, onto: HTMLCanvasElement): HTMLCanvasElement {
  return drawn(video, video.videoWidth, video.videoHeight, READ_PX_MAX, onto);
}

async function jpegOf(canvas: HTMLCanvasElement): Promise<Blob> {
  return await new Promise((resolve, reject) => {
    canvas.toBlob(
      blob => (blob === null ? reject(new Error('no picture')) : resolve(blob)),
      'image/jpeg',
      JPEG_QUALITY,
    );
  });
}

export function photoOf(video: HTMLVideoElement): Promise<Blob> {
  return jpegOf(drawn(video, video.videoWidth, video.videoHeight, PHOTO_PX_MAX));
}

/** Throws where the file is no picture that the browser can open. */
export async function pictureOf(file: Blob, purpose: 'read' | 'photo'): Promise<HTMLCanvasElement> {
  const bitmap = await createImageBitmap(file);
  try {
    return drawn(bitmap, bitmap.width, bitmap.height, purpose === 'read' ? READ_PX_MAX * 2 : PHOTO_PX_MAX);
  } finally {
    bitmap.close();
  }
}

export async function photoOfFile(file: Blob): Promise<Blob> {
  return await jpegOf(await pictureOf(file, 'photo'));
}
