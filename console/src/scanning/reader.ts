/** Reads QR codes in a picture: by the browser's own detector where it has one, else by one that came with the page. */

/** What both kinds can look at. */
export type Look = HTMLCanvasElement;
export type Reader = (look: Look) => Promise<string[]>;

type Detector = { detect: (source: CanvasImageSource) => Promise<readonly { readonly rawValue: string }[]> };
type Detectors = {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats: () => Promise<string[]>;
};

async function ofTheBrowser(): Promise<Reader | null> {
  const Built = (globalThis as { BarcodeDetector?: Detectors }).BarcodeDetector;
  if (Built === undefined) return null;
  try {
    if (!(await Built.getSupportedFormats()).includes('qr_code')) return null;
    const detector = new Built({ formats: ['qr_code'] });
    return async look => (await detector.detect(look)).map(each => each.rawValue);
  } catch {
    return null;
  }
}

async function withThePage(): Promise<Reader> {
  return (await import('./wasm')).read;
}

let opened: Promise<Reader> | null = null;

/** One for the whole page. A browser whose detector is there and fails (some phones without Play services) gets ours. */
export function reader(): Promise<Reader> {
  opened ??= (async () => {
    const own = await ofTheBrowser();
    if (own === null) return await withThePage();
    let inUse = own;
    return async (look: Look) => {
      try {
        return await inUse(look);
      } catch (error) {
        if (inUse !== own) throw error;
        inUse = await withThePage();
        return await inUse(look);
      }
    };
  })();
  opened.catch(() => {
    opened = null;
  });
  return opened;
}
