import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const COMPRESSIBLE = /\.(js|css|html|svg|json|webmanifest|wasm)$/;
const PATROL = 'patrol.html';
const WORKER = 'patrol-worker';

/** Each file a second and a third time, compressed: the API hands them out as they are and spends no time on it. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle() {
      for (const name of readdirSync('dist', { recursive: true, encoding: 'utf8' })) {
        const path = join('dist', name);
        if (!statSync(path).isFile() || !COMPRESSIBLE.test(name)) continue;
        const plain = readFileSync(path);
        writeFileSync(`${path}.gz`, gzipSync(plain, { level: 9 }));
        const quality = { [constants.BROTLI_PARAM_QUALITY]: 11 };
        writeFileSync(`${path}.br`, brotliCompressSync(plain, { params: quality }));
      }
    },
  };
}

type Chunk = { file: string; css?: string[]; assets?: string[]; imports?: string[]; dynamicImports?: string[] };

/** All that the patrol page ever asks for, what it loads later included: without network there is no later. */
function filesOf(manifest: Record<string, Chunk>, entry: string): string[] {
  const files = new Set<string>();
  const waiting = [entry];
  const seen = new Set<string>();
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const chunk = manifest[name];
    if (chunk === undefined || seen.has(name)) continue;
    seen.add(name);
    for (const file of [chunk.file, ...(chunk.css ?? []), ...(chunk.assets ?? [])]) files.add(`/${file}`);
    waiting.push(...(chunk.imports ?? []), ...(chunk.dynamicImports ?? []));
  }
  return [...files].sort();
}

/** Tells the service worker which files belong to this build of the patrol page. */
function keptOffline(): Plugin {
  return {
    name: 'kept-offline',
    apply: 'build',
    closeBundle() {
      const manifest = JSON.parse(readFileSync('dist/.vite/manifest.json', 'utf8')) as Record<string, Chunk>;
      const files = [...filesOf(manifest, PATROL), '/patrol.webmanifest', '/mark.svg', '/patrol-192.png'];
      const page = readFileSync(join('dist', PATROL), 'utf8');
      const version = createHash('sha256').update(page).update(files.join()).digest('hex').slice(0, 12);
      const path = join('dist', `${WORKER}.js`);
      const code = readFileSync(path, 'utf8');
      writeFileSync(path, `const PATROL_FILES = ${JSON.stringify({ version, files })};\n${code}`);
    },
  };
}

export default defineConfig({
  plugins: [react(), keptOffline(), compressed()],
  build: {
    outDir: 'dist',
    sourcemap: false,
    manifest: true,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      input: { index: 'index.html', patrol: PATROL, [WORKER]: 'src/patrol/worker.ts' },
      output: {
        // In one piece each: cut where pages happen to share them, the same code weighs six kilobytes more compressed.
        codeSplitting: {
          groups: [
            { name: 'react', test: /node_modules[\\/](react|react-dom|scheduler)[\\/]/, priority: 2 },
            {
              name: 'components',
              test: /node_modules[\\/]@rc-component[\\/](util|motion|resize-observer|portal|trigger|overflow|menu|dropdown|tooltip)[\\/]/,
              priority: 1,
            },
          ],
        },
        // Its address is the same in every build: a browser asks there whether there is a newer one.
        entryFileNames: chunk => (chunk.name === WORKER ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8080' } },
  test: { include: ['tests/**/*.test.{ts,tsx}'] },
});
