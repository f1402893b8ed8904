import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Severity } from '../api/schema';
import { spread } from './labels';
import { extent, type Line } from './series';
import type { Span } from './spans';
import { stroke } from './strokes';

export type Limit = { readonly at: number; readonly severity: Severity; readonly label: string };
export type Curve = {
  readonly key: string;
  readonly unit: string;
  readonly stepped: boolean;
  readonly line: Line;
  readonly limits: readonly Limit[];
};

const LIMITS: Readonly<Record<Severity, string>> = { warning: '#8a6d00', critical: '#b85900', life_safety: '#b3261e' };

/** A line or curve behind a label is seen through it, faintly. */
const LABEL_GROUND = '#f7f8f9d9';

type Props = {
  readonly curves: readonly Curve[];
  readonly span: Span;
  readonly height: number;
  readonly fontSize: number;
  readonly formatTime: (at_s: number, step_s: number) => string;
  readonly onZoom: (span: Span) => void;
  readonly onCursor: (at: ReadonlyMap<string, number | null> | null) => void;
};

/** Several points over one span, each unit with a scale of its own. Dragging along the time zooms into it. */
export function Plot(props: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const { curves, span, height, fontSize } = props;
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new uPlot(options(latest, element.clientWidth, height, fontSize), data(curves), element);
    plot.current = made;
    made.setScale('x', { min: span.from_ms / 1_000, max: span.until_ms / 1_000 });
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [curves, span, height, fontSize]);
  return <div ref={place} className="plot" />;
}

function data(curves: readonly Curve[]): uPlot.AlignedData {
  const tables = curves.map(({ line }) =>
    [line.times, line.values, ...(line.low && line.high ? [line.low, line.high] : [])].map(each => [...each]),
  );
  return tables.length === 0 ? [[]] : uPlot.join(tables as uPlot.AlignedData[]);
}

function options(latest: { readonly current: Props }, width: number, height: number, size: number): uPlot.Options {
  const { curves, formatTime } = latest.current;
  const units = [...new Set(curves.map(each => each.unit))];
  const font = `${size}px system-ui, sans-serif`;
  const grid = { stroke: '#dbe0e4', width: 1 };
  const { series, bands } = seriesOf(curves);
  return {
    width,
    height,
    series,
    bands,
    legend: { show: false },
    cursor: { drag: { x: true, y: false, setScale: false }, points: { size: size / 2 } },
    scales: {
      x: { time: true },
      ...Object.fromEntries(units.map(unit => [`of ${unit}`, { range: rangeOf(curves, unit) }])),
    },
    axes: [
      {
        font,
        grid,
        ticks: grid,
        size: size * 2.6,
        space: size * 6,
        values: (_, splits, _axis, _space, step) => splits.map(each => formatTime(each, step)),
      },
      ...units.slice(0, 2).map(
        (unit, at): uPlot.Axis => ({
          scale: `of ${unit}`,
          label: unit,
          labelFont: font,
          labelSize: size * 1.7,
          font,
          side: at === 0 ? 3 : 1,
          size: size * 4,
          grid: at === 0 ? grid : { show: false },
          ticks: grid,
        }),
      ),
    ],
    hooks: {
      draw: [self => drawLimits(self, curves, font)],
      setSelect: [
        self => {
          if (self.select.width < 8) return;
          const [from, until] = [
            self.posToVal(self.select.left, 'x'),
            self.posToVal(self.select.left + self.select.width, 'x'),
          ];
          latest.current.onZoom({ from_ms: from * 1_000, until_ms: until * 1_000 });
        },
      ],
      setCursor: [
        self => {
          const at = self.cursor.idx;
          if (at === null || at === undefined) latest.current.onCursor(null);
          else
            latest.current.onCursor(
              new Map(keyed(curves).map(({ key, column }) => [key, nearest(self.data[column], at)])),
            );
        },
      ],
    },
  };
}

/** The column of each curve's own values; its band takes two more. */
function keyed(curves: readonly Curve[]): { key: string; column: number }[] {
  let column = 1;
  return curves.map(({ key, line }) => {
    const mine = column;
    column += line.low && line.high ? 3 : 1;
    return { key, column: mine };
  });
}

/** Columns of other points have moments that this one has not: the last it had before counts. */
function nearest(column: uPlot.AlignedData[number] | undefined, at: number): number | null {
  for (let back = at; column !== undefined && back >= 0; back--) {
    const value = column[back];
    if (value !== undefined) return value;
  }
  return null;
}

/** A reading between two gaps has no line: it is a dot, or nobody would see that there was one. */
function alone(self: uPlot, series: number): number[] {
  // What is undefined is another point's moment, and neither a reading nor a gap of this one.
  const mine = [...(self.data[series] ?? [])].flatMap((value, at) => (value === undefined ? [] : [{ at, value }]));
  const isGap = (place: number) => (mine[place]?.value ?? null) === null;
  return mine.flatMap(({ at }, place) => (!isGap(place) && isGap(place - 1) && isGap(place + 1) ? [at] : []));
}

function seriesOf(curves: readonly Curve[]): { series: uPlot.Series[]; bands: uPlot.Band[] } {
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  curves.forEach(({ unit, stepped, line }, index) => {
    const { colour, dash } = stroke(index);
    const scale = `of ${unit}`;
    const paths = stepped && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {};
    series.push({
      scale,
      stroke: colour,
      width: 2,
      dash: [...dash],
      points: { show: true, size: 4, fill: colour, filter: alone },
      spanGaps: false,
      ...paths,
    });
    if (line.low && line.high) {
      const edge: uPlot.Series = { scale, width: 0, points: { show: false }, spanGaps: false };
      series.push(edge, { ...edge });
      bands.push({ series: [series.length - 1, series.length - 2], fill: `${colour}22` });
    }
  });
  return { series, bands };
}

function rangeOf(curves: readonly Curve[], unit: string): uPlot.Scale.Range {
  const mine = curves.filter(each => each.unit === unit);
  if (mine.every(each => each.stepped)) return [-0.15, 1.15];
  const limits = mine.flatMap(each => each.limits.map(limit => limit.at));
  return (_self, low, high) => {
    if (low === null || high === null) return [0, 1];
    const found = extent({ min: low, max: high }, limits);
    return [found.min, found.max];
  };
}

function drawLimits(self: uPlot, curves: readonly Curve[], font: string): void {
  const { ctx, bbox } = self;
  const bottom = bbox.top + bbox.height;
  const lines = curves
    .flatMap(curve => curve.limits.map(limit => ({ limit, y: self.valToPos(limit.at, `of ${curve.unit}`, true) })))
    .filter(({ y }) => y >= bbox.top && y <= bottom);
  const size = Math.round(Number.parseInt(font, 10) * devicePixelRatio * 0.92);
  ctx.save();
  ctx.font = font.replace(/^\d+/, String(size));
  ctx.textAlign = 'right';
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  for (const { limit, y } of lines) {
    ctx.strokeStyle = LIMITS[limit.severity];
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  const margin = 4 * devicePixelRatio;
  const wanted = lines.map(({ y }) => y - margin);
  const heights = spread(wanted, size * 1.25, bbox.top + size, bottom - margin);
  lines.forEach(({ limit }, index) => {
    const y = heights[index] ?? 0;
    const right = bbox.left + bbox.width - margin;
    const width = ctx.measureText(limit.label).width;
    ctx.fillStyle = LABEL_GROUND;
    ctx.fillRect(right - width - margin, y - size, width + 2 * margin, size * 1.25);
    ctx.fillStyle = LIMITS[limit.severity];
    ctx.fillText(limit.label, right, y);
  });
  ctx.restore();
}
