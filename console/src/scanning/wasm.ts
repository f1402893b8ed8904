import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';
import wasm from 'zxing-wasm/reader/zxing_reader.wasm?url';
import type { Reader } from './reader';

// Its own default asks a public server for the file; ours comes with the build and is there without network.
prepareZXingModule({
  overrides: { locateFile: (path: string, prefix: string) => (path.endsWith('.wasm') ? wasm : prefix + path) },
});

export const read: Reader = async look => {
  const context = look.getContext('2d', { willReadFrequently: true });
  if (context === null || look.width === 0) return [];
  const found = await readBarcodes(context.getImageData(0, 0, look.width, look.height), {
    formats: ['QRCode'],
    tryHarder: true,
    maxNumberOfSymbols: 4,
  });
  return found.filter(each => each.isValid).map(each => each.text);
};
