/** Sees to it that the page opens without network: the service worker keeps its files (worker.ts). */

export async function installed(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  try {
    const registration = await navigator.serviceWorker.register('/patrol-worker.js', { scope: '/patrol' });
    // A newer page that waits takes over as this one opens, when nobody is in the middle of anything.
    if (registration.waiting !== null && navigator.serviceWorker.controller !== null) {
      navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
      registration.waiting.postMessage('take over');
    }
  } catch {
    // A browser that forbids it (a private window): the page works as long as it stays open.
  }
}
