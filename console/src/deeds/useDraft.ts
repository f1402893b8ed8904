import { useCallback, useState } from 'react';

/** What is being typed, kept for this browser tab: a phone that drops the page has it again when it comes back. */
export function useDraft(key: string): readonly [string, (text: string) => void] {
  const kept = `taizhang.draft.${key}`;
  const [text, setText] = useState(() => {
    try {
      return sessionStorage.getItem(kept) ?? '';
    } catch {
      return ''; // a browser that keeps nothing
    }
  });
  const change = useCallback(
    (changed: string) => {
      setText(changed);
      try {
        if (changed === '') sessionStorage.removeItem(kept);
        else sessionStorage.setItem(kept, changed);
      } catch {
        // it is then kept as long as the page stands
      }
    },
    [kept],
  );
  return [text, change];
}
