import type { ReactNode } from 'react';

/** What is wider than a phone scrolls by itself, by finger and, since it takes the focus, by the arrow keys. */
export function Scrolled({ children }: { children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached by keyboard
    <div className="table-scroll" tabIndex={0}>
      {children}
    </div>
  );
}
