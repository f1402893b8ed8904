/**
 * The service worker of the patrol page: keeps the files of one build together, and gives them without network. It sends
 * nothing: what waits is sent by the page, which can say how it went. The build writes the list of files into this one.
 */

type Waiting = Event & { waitUntil: (work: Promise<unknown>) => void };
type Fetching = Event & { readonly request: Request; respondWith: (answer: Promise<Response>) => void };
type Worker = {
  addEventListener: {
    (kind: 'install' | 'activate', act: (event: Waiting) => void): void;
    (kind: 'fetch', act: (event: Fetching) => void): void;
    (kind: 'message', act: (event: MessageEvent) => void): void;
  };
  skipWaiting: () => Promise<void>;
  readonly clients: { claim: () => Promise<void> };
  readonly location: Location;
};

declare const PATROL_FILES: { readonly version: string; readonly files: readonly string[] };

const worker = self as unknown as Worker;
const PAGE = '/patrol';
const PREFIX = 'taizhang-patrol-';
const CACHE = `${PREFIX}${PATROL_FILES.version}`;

async function keepAll(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll([PAGE, ...PATROL_FILES.files].map(each => new Request(each, { cache: 'reload' })));
}

async function forgetOlder(): Promise<void> {
  const older = (await caches.keys()).filter(each => each.startsWith(PREFIX) && each !== CACHE);
  await Promise.all(older.map(each => caches.delete(each)));
  await worker.clients.claim();
}

async function kept(request: Request | string): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(request)) ?? (await fetch(request));
}

worker.addEventListener('install', event => event.waitUntil(keepAll()));
worker.addEventListener('activate', event => event.waitUntil(forgetOlder()));
worker.addEventListener('message', event => {
  if (event.data === 'take over') void worker.skipWaiting();
});
worker.addEventListener('fetch', event => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== worker.location.origin) return;
  // One page for all its addresses, and always the one its files belong to.
  if (request.mode === 'navigate') event.respondWith(kept(PAGE));
  else if (PATROL_FILES.files.includes(pathname)) event.respondWith(kept(pathname));
});

export {};
