/**
 * What a scanned or typed text means: inspection/codes.py in the phone, so that it is told in a cellar as well.
 * Which host a link names is not looked at here: the hash of the code decides whether it hangs on this route, and the
 * service looks again.
 */

const ALPHABET = '2346789CDFGHJKMPQRTVWXY';
export const CODE_CHARS = 12;
const RADIX = 2;
const PARTERS = /[\s\-_.·—–]+/g;
const LINK = /^https?:\/\/[^/?#]+(?:\/[^?#]*)?\/t\/([^/?#]+)\/?(?:[?#].*)?$/i;

/** How a code came to be known: whoever typed it in was perhaps never there. */
export type Means = 'camera' | 'photo_file' | 'typed';
export type Misread = 'empty' | 'foreign' | 'wrong_length' | 'wrong_character' | 'wrong_check';
export type Reading = { readonly code: string } | { readonly misread: Misread };

function checkCharacter(body: string): string {
  let rest = 0;
  for (const each of body) rest = ((rest + ALPHABET.indexOf(each)) * RADIX) % ALPHABET.length;
  return ALPHABET[(ALPHABET.length + 1 - rest) % ALPHABET.length] ?? '';
}

export function typed(text: string): Reading {
  const plain = text.normalize('NFKC').replace(PARTERS, '').toUpperCase();
  if (plain === '') return { misread: 'empty' };
  if ([...plain].some(each => !ALPHABET.includes(each))) return { misread: 'wrong_character' };
  if (plain.length !== CODE_CHARS) return { misread: 'wrong_length' };
  return plain.at(-1) === checkCharacter(plain.slice(0, -1)) ? { code: plain } : { misread: 'wrong_check' };
}

export function read(text: string): Reading {
  const plain = text.normalize('NFKC').trim();
  if (plain === '') return { misread: 'empty' };
  if (plain.includes('://')) {
    const said = LINK.exec(plain)?.[1];
    const found = said === undefined ? null : typed(said);
    return found !== null && 'code' in found ? found : { misread: 'foreign' };
  }
  const found = typed(plain);
  return 'code' in found ? found : { misread: 'foreign' };
}

/** As it is printed, and typed: `K7MF-9QXD-2C4H`. */
export function shown(code: string): string {
  return code.match(/.{1,4}/g)?.join('-') ?? code;
}

export async function sha256(data: ArrayBuffer | Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', data);
  return Array.from(new Uint8Array(digest), byte => byte.toString(16).padStart(2, '0')).join('');
}

/** What a round's stop knows its tags by. */
export function hashOf(code: string): Promise<string> {
  return sha256(new TextEncoder().encode(code));
}
