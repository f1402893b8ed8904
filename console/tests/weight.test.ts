import { existsSync, readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';

/** What a browser fetches before the alarms page stands: 300 kB compressed at most, measured on what was built. */
const FIRST_LOAD_BYTES_MAX = 300_000;

type Chunk = { file: string; css?: string[]; imports?: string[]; isEntry?: boolean };

function parts(manifest: Record<string, Chunk>, names: readonly string[]): Set<string> {
  const files = new Set<string>();
  const seen = new Set<string>();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const chunk = manifest[name];
    if (chunk === undefined || seen.has(name)) continue;
    seen.add(name);
    for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file);
    waiting.push(...(chunk.imports ?? []));
  }
  return files;
}

test('the first load is light', () => {
  expect(existsSync('dist/.vite/manifest.json'), 'what is weighed is built first: npm run build').toBe(true);
  const manifest = JSON.parse(readFileSync('dist/.vite/manifest.json', 'utf8')) as Record<string, Chunk>;
  const files = parts(manifest, ['index.html', 'src/pages/alarms/index.tsx']);
  const bytes = (suffix: string) =>
    [...files].reduce(
      (sum, file) => sum + statSync(`dist/${file}${suffix}`).size,
      statSync(`dist/index.html${suffix}`).size,
    );
  expect(files.size).toBeGreaterThan(2);
  process.stdout.write(`first load with the alarms page: ${bytes('.br')} bytes (brotli), ${bytes('.gz')} (gzip)\n`);
  expect(bytes('.br')).toBeLessThanOrEqual(FIRST_LOAD_BYTES_MAX);
});
