import { useCallback, useEffect, useRef, useState } from 'react';

/** What a hand is over keeps its place. Where each row stood is kept while it is held; what came meanwhile waits. */
export type Placed<Row> = {
  readonly row: Row;
  readonly column: string;
  /** Not among them any more; it stands here as it last was until the hand goes. */
  readonly gone?: boolean;
};

export type Steady<Row> = {
  readonly placed: readonly Placed<Row>[];
  /** How many rows wait for the hand to go. */
  readonly waiting: number;
  readonly release: () => void;
  readonly hold: {
    readonly onPointerEnter: (event: { pointerType: string }) => void;
    readonly onPointerLeave: () => void;
    readonly onFocus: () => void;
    readonly onBlur: (event: { currentTarget: Node; relatedTarget: unknown }) => void;
  };
};

/** Rows in the order they stood, with what they are now; those not there before are counted, not shown. Pure. */
export function steadied<Row extends { readonly id: number }>(
  stood: readonly Placed<Row>[],
  wanted: readonly Placed<Row>[],
): { readonly placed: readonly Placed<Row>[]; readonly waiting: number } {
  const now = new Map(wanted.map(each => [each.row.id, each.row]));
  const there = new Set(stood.map(each => each.row.id));
  const placed = stood.map(({ row, column }) => {
    const found = now.get(row.id);
    return found === undefined ? { row, column, gone: true } : { row: found, column };
  });
  return { placed, waiting: wanted.filter(each => !there.has(each.row.id)).length };
}

/** `wanted`: every row where it belongs, in order. A mouse or the keyboard holds; a finger only holds while it touches. */
export function useSteady<Row extends { readonly id: number }>(wanted: readonly Placed<Row>[]): Steady<Row> {
  const [held, setHeld] = useState<readonly Placed<Row>[] | null>(null);
  const latest = useRef(wanted);
  useEffect(() => {
    latest.current = wanted;
  });
  const take = useCallback(() => setHeld(before => before ?? latest.current), []);
  const release = useCallback(() => setHeld(null), []);
  const { placed, waiting } = held === null ? { placed: wanted, waiting: 0 } : steadied(held, wanted);
  return {
    placed,
    waiting,
    release,
    hold: {
      onPointerEnter: event => {
        if (event.pointerType === 'mouse') take();
      },
      onPointerLeave: release,
      onFocus: take,
      onBlur: event => {
        if (!(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget))) release();
      },
    },
  };
}
