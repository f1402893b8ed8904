import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { CATALOGUE, type Language, type Word } from './catalogue';

/** A text in both languages, as the service sends them. */
export type Name = { readonly zh: string; readonly en: string };
export type Values = Readonly<Record<string, string | number>>;

/** The words of one page, loaded with it: `pages/<page>/texts.ts`. What the first page needs stands in the catalogue. */
export type Texts = Readonly<Record<string, Name>>;

export function say(language: Language, word: Word, values?: Values): string {
  return filled(CATALOGUE[word][language], values);
}

function filled(text: string, values: Values | undefined): string {
  return values ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)) : text;
}

type Words = {
  readonly language: Language;
  readonly choose: (language: Language) => void;
  /** A word of the console. */
  readonly t: (word: Word, values?: Values) => string;
  /** Of a text that the service sent in both languages, the one to show. */
  readonly of: (name: Name) => string;
};

const KEPT_AS = 'taizhang.language';
const InWords = createContext<Words | null>(null);

function kept(): Language {
  try {
    return localStorage.getItem(KEPT_AS) === 'en' ? 'en' : 'zh';
  } catch {
    return 'zh'; // a browser that keeps nothing
  }
}

export function WordsProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(kept);
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
    document.title = say(language, 'app.name');
  }, [language]);
  const choose = useCallback((chosen: Language) => {
    setLanguage(chosen);
    try {
      localStorage.setItem(KEPT_AS, chosen);
    } catch {
      // it is then asked for again next time
    }
  }, []);
  const words = useMemo<Words>(
    () => ({
      language,
      choose,
      t: (word, values) => say(language, word, values),
      of: name => name[language] || name.zh,
    }),
    [language, choose],
  );
  return <InWords value={words}>{children}</InWords>;
}

/** Speaks the words of a page: `const say = useTexts(TEXTS)`. */
export function useTexts<T extends Texts>(texts: T): (word: keyof T & string, values?: Values) => string {
  const { language } = useWords();
  return useCallback((word, values) => filled(texts[word]?.[language] ?? word, values), [texts, language]);
}

export function useWords(): Words {
  const words = useContext(InWords);
  if (words === null) throw new Error('useWords outside WordsProvider');
  return words;
}
