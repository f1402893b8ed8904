import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { CATALOGUE } from '../src/words/catalogue';
import { say, type Texts } from '../src/words/words';

const SPOKEN = new Set(['alt', 'aria-label', 'label', 'placeholder', 'title', 'description', 'subTitle', 'tooltip']);
const LETTERS = /[A-Za-z]{2}|[\u3400-\u9fff]/;
const HAN = /[\u3400-\u9fff]/;
const NOT_LOOKED_AT = new Set(['src/words/catalogue.ts', 'src/api/schema.d.ts']);
const TEXTS = /(^|[\\/])texts\.ts$/;

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map(name => join('src', name))
  .filter(name => /\.tsx?$/.test(name) && !NOT_LOOKED_AT.has(name) && !TEXTS.test(name));
const ofPages = import.meta.glob<{ TEXTS: Texts }>(
  ['../src/pages/*/texts.ts', '../src/patrol/texts.ts', '../src/scanning/texts.ts'],
  {
    eager: true,
  },
);
const everyWord = [
  ...Object.entries(CATALOGUE),
  ...Object.entries(ofPages).flatMap(([page, { TEXTS }]) =>
    Object.entries(TEXTS).map(([key, name]) => [`${page} ${key}`, name] as const),
  ),
];

function places(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map(found => found[1] ?? '').sort();
}

/** Words that stand in the code itself, where a person would read them in one language only. */
function outside(name: string, code: string): string[] {
  const source = ts.createSourceFile(name, code, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found: string[] = [];
  const at = (node: ts.Node) => `${name}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
  const look = (node: ts.Node): void => {
    if (ts.isJsxText(node) && LETTERS.test(node.text)) found.push(`${at(node)}: ${node.text.trim()}`);
    if (ts.isStringLiteralLike(node)) {
      const attribute = ts.isJsxAttribute(node.parent) ? node.parent.name.getText() : null;
      if (HAN.test(node.text) || (attribute !== null && SPOKEN.has(attribute) && LETTERS.test(node.text)))
        found.push(`${at(node)}: ${node.text}`);
    }
    ts.forEachChild(node, look);
  };
  look(source);
  return found;
}

test('every word is there in both languages, with the same places for values', () => {
  for (const [key, { zh, en }] of everyWord) {
    expect(zh.trim(), key).not.toBe('');
    expect(en.trim(), key).not.toBe('');
    expect(places(zh), key).toEqual(places(en));
  }
});

test('Chinese is Chinese and English is English', () => {
  const eitherWay = new Set(['app.language', 'app.language_hint']); // says where it leads, in the language it leads to
  for (const [key, { zh, en }] of everyWord) {
    if (eitherWay.has(key)) continue;
    expect(HAN.test(en), `${key}: ${en}`).toBe(false);
    if (/[A-Za-z]{4}/.test(en)) expect(HAN.test(zh), `${key}: ${zh}`).toBe(true);
  }
});

test('no word is left over', () => {
  const code = files.map(name => readFileSync(name, 'utf8')).join('\n');
  const templates = [...code.matchAll(/`([a-z_.]+)\$\{/g)].map(found => found[1] ?? '');
  const unused = Object.keys(CATALOGUE).filter(
    key => !code.includes(`'${key}'`) && !templates.some(start => start.includes('.') && key.startsWith(start)),
  );
  expect(unused).toEqual([]);
});

test('no word of a page is left over', () => {
  for (const [page, { TEXTS }] of Object.entries(ofPages)) {
    const folder = page.replace('../', '').replace('texts.ts', '');
    const code = files
      .filter(name => name.startsWith(folder))
      .map(name => readFileSync(name, 'utf8'))
      .join('\n');
    const starts = [...code.matchAll(/`([a-z_]+)\$\{/g)].map(found => found[1] ?? '');
    const unused = Object.keys(TEXTS).filter(
      key => !code.includes(`'${key}'`) && !starts.some(start => key.startsWith(start)),
    );
    expect(unused, page).toEqual([]);
  }
});

test('no text stands outside the catalogue', () => {
  expect(files.length).toBeGreaterThan(10);
  expect(files.flatMap(name => outside(name, readFileSync(name, 'utf8')))).toEqual([]);
}, 60_000); // parses every file there is

test('the search for texts finds them', () => {
  expect(outside('a.tsx', '<p>Acknowledge all</p>')).toHaveLength(1);
  expect(outside('a.tsx', '<p title="Acknowledge all" className="wide" />')).toHaveLength(1);
  expect(outside('a.tsx', 'const word = `确认`;')).toHaveLength(1);
  expect(outside('a.tsx', "<p className='wide'>{t('app.name')}: {n}</p>")).toEqual([]);
});

test('values go where they belong, and a value that is missing is seen', () => {
  expect(say('en', 'time.hm', { h: 3, m: 5 })).toBe('3 h 5 min');
  expect(say('zh', 'time.hm', { h: 3 })).toContain('{m}');
});
