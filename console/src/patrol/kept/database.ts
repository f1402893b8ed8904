/**
 * What the phone keeps (IndexedDB). Written with strict durability: what the page has said is saved is on the disk, and
 * still there after the browser was killed or the battery ran out.
 */

import type { Draft, Entry, Photo } from './shapes';

const NAME = 'taizhang-patrol';
const VERSION = 1;

type Stores = { said: unknown; outbox: Entry; photos: Photo; drafts: Draft };
export type Store = keyof Stores;

let opened: Promise<IDBDatabase> | null = null;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, VERSION);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore('said');
      asked.result.createObjectStore('outbox', { keyPath: 'id' });
      asked.result.createObjectStore('photos', { keyPath: 'sha256' });
      asked.result.createObjectStore('drafts', { keyPath: 'key' });
    };
    asked.onsuccess = () => {
      // Another tab with a newer page wants to change the stores: let go, and open anew when needed.
      asked.result.onversionchange = () => {
        asked.result.close();
        opened = null;
      };
      resolve(asked.result);
    };
    asked.onerror = () => {
      opened = null;
      reject(asked.error);
    };
  });
  return opened;
}

function answered<T>(asked: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

/** Everything in one transaction; resolves when it is on the disk. */
export async function write(
  stores: readonly Store[],
  act: (of: (store: Store) => IDBObjectStore) => void,
): Promise<void> {
  const database = await open();
  const transaction = database.transaction([...stores], 'readwrite', { durability: 'strict' });
  const done = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
  act(store => transaction.objectStore(store));
  await done;
}

export async function get<S extends Store>(store: S, key: string): Promise<Stores[S] | undefined> {
  const database = await open();
  return answered(database.transaction(store).objectStore(store).get(key));
}

export async function all<S extends Store>(store: S): Promise<Stores[S][]> {
  const database = await open();
  return answered(database.transaction(store).objectStore(store).getAll());
}

export async function keysOf(store: Store): Promise<string[]> {
  const database = await open();
  return (await answered(database.transaction(store).objectStore(store).getAllKeys())) as string[];
}

export function put<S extends Exclude<Store, 'said'>>(store: S, value: Stores[S]): Promise<void> {
  return write([store], of => of(store).put(value));
}

export function remove(store: Store, key: string): Promise<void> {
  return write([store], of => of(store).delete(key));
}

/** What the service said last: the session, today's rounds, checklists, photos of places. */
export async function said<T>(key: string): Promise<T | null> {
  return ((await get('said', key)) as T | undefined) ?? null;
}

export function keepSaid(key: string, value: unknown): Promise<void> {
  return write(['said'], of => of('said').put(value, key));
}
