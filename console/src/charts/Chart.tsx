import { DownloadOutlined, ZoomOutOutlined } from '@ant-design/icons';
import { keepPreviousData, useQueries } from '@tanstack/react-query';
import { Button, Segmented } from 'antd';
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { api, given } from '../api/client';
import type { ReadingsOut, RuleOut, Value } from '../api/schema';
import { useLarge, useNarrow } from '../app/theme';
import { Waiting } from '../app/Waiting';
import type { Where } from '../estate/facility';
import { figure, useSpokenValue } from '../estate/values';
import { useLiveStream } from '../live/live';
import { useWords } from '../words/words';
import { axisTime } from './axis';
import type { Curve, Limit } from './Plot';
import { line } from './series';
import { bucketOf, HOUR_MS, SPANS, type Span, type SpanName } from './spans';
import { stroke } from './strokes';
import './charts.css';

const Plot = lazy(() => import('./Plot').then(module => ({ default: module.Plot })));
const SLICE_MS = 15_000;
const ROWS_MAX = 10_000;

/** The last hours of some points, or the span that was zoomed into; limits of the rules in force across it. */
export function Chart({ where, points, rules }: { where: Where; points: readonly Value[]; rules: readonly RuleOut[] }) {
  const { t, of, language } = useWords();
  const stream = useLiveStream();
  const [picked, setPicked] = useState<SpanName>('six_hours');
  const [zoomed, setZoomed] = useState<Span | null>(null);
  const [cursor, setCursor] = useState<ReadonlyMap<string, number | null> | null>(null);
  const large = useLarge();
  const narrow = useNarrow();
  const [held, setHeld] = useState<number | null>(null);
  const slice = held ?? Math.ceil(stream.now_ms() / SLICE_MS) * SLICE_MS;
  // What is being marked with the mouse is not drawn anew under it.
  useEffect(() => {
    if (held === null) return;
    const release = () => setHeld(null);
    for (const end of ['pointerup', 'pointercancel'] as const) addEventListener(end, release);
    return () => {
      for (const end of ['pointerup', 'pointercancel'] as const) removeEventListener(end, release);
    };
  }, [held]);
  const span = useMemo<Span>(
    () => zoomed ?? { from_ms: slice - SPANS[picked], until_ms: slice },
    [zoomed, slice, picked],
  );
  const bucket = bucketOf(span);
  const answers = useQueries({
    queries: points.map(point => ({
      queryKey: ['facility', where.site, where.facility, 'readings', point.point, span.from_ms, span.until_ms],
      queryFn: () => readings(where, point.point, span, bucket),
      placeholderData: keepPreviousData,
      gcTime: 60_000,
    })),
    combine: found => ({ data: found.map(each => each.data), failed: found.some(each => each.isError) }),
  });
  const curves = useMemo(
    () => points.flatMap((point, index) => curve(point, answers.data[index], rules, of)),
    [points, answers.data, rules, of],
  );
  // An answer that comes while somebody marks a span waits until he lets go.
  const drawn = useRef(curves);
  if (held === null) drawn.current = curves;
  const formatTime = useCallback((at_s: number, step_s: number) => axisTime(language, at_s, step_s), [language]);
  const hourly = answers.data.find(each => each?.bucket && each.bucket !== bucket);
  return (
    <section className="chart" aria-label={t('chart.title')} onPointerDown={() => setHeld(slice)}>
      <div className="chart-tools">
        <Segmented<SpanName>
          value={picked}
          onChange={name => {
            setPicked(name);
            setZoomed(null);
          }}
          options={(Object.keys(SPANS) as SpanName[]).map(name => ({ value: name, label: t(`chart.${name}`) }))}
        />
        {zoomed && (
          <Button icon={<ZoomOutOutlined />} onClick={() => setZoomed(null)}>
            {t('chart.whole')}
          </Button>
        )}
        <span className="chart-hint">
          {bucket
            ? t('chart.bucket', { bucket: t(`chart.bucket_${hourly?.bucket ?? bucket}` as 'chart.bucket_1h') })
            : t('chart.drag')}
        </span>
      </div>
      {points.length === 0 ? (
        <p className="chart-none">{t('chart.pick')}</p>
      ) : (
        <Suspense fallback={<Waiting />}>
          <Plot
            curves={drawn.current}
            span={span}
            height={large ? 620 : narrow ? 260 : 340}
            fontSize={large ? 20 : 12}
            formatTime={formatTime}
            onZoom={next => setZoomed(atLeastAMinute(next))}
            onCursor={setCursor}
          />
        </Suspense>
      )}
      {answers.failed && <p role="alert">{t('chart.failed')}</p>}
      <Legend where={where} points={points} span={span} bucket={bucket} cursor={cursor} />
    </section>
  );
}

function atLeastAMinute({ from_ms, until_ms }: Span): Span {
  const middle = (from_ms + until_ms) / 2;
  const half = Math.max((until_ms - from_ms) / 2, HOUR_MS / 120);
  return { from_ms: Math.round(middle - half), until_ms: Math.round(middle + half) };
}

const moments = (span: Span) => ({
  from: new Date(span.from_ms).toISOString(),
  until: new Date(span.until_ms).toISOString(),
});

function readings({ site, facility }: Where, point: string, span: Span, bucket: string | null): Promise<ReadingsOut> {
  return given(
    api.GET('/api/v1/facilities/{site}/{facility}/points/{point}/readings', {
      params: {
        path: { site, facility, point },
        query: { ...moments(span), limit: ROWS_MAX, ...(bucket && { bucket }) },
      },
    }),
  );
}

function curve(
  point: Value,
  answer: ReadingsOut | undefined,
  rules: readonly RuleOut[],
  of: (name: { zh: string; en: string }) => string,
): Curve[] {
  if (!answer) return [];
  const stepped = point.kind === 'state' || point.kind === 'event';
  const limits = rules.flatMap(rule =>
    rule.limits
      .filter(each => each.point === point.point && !stepped)
      .map(
        (each): Limit => ({
          at: each.limit,
          severity: rule.severity,
          label: `${of(rule.title)} ${each.comparison} ${figure(each.limit)}`,
        }),
      ),
  );
  return [
    { key: point.point, unit: stepped ? '' : point.unit, stepped, line: line(answer, point.report_interval_s), limits },
  ];
}

function Legend({
  where,
  points,
  span,
  bucket,
  cursor,
}: {
  where: Where;
  points: readonly Value[];
  span: Span;
  bucket: string | null;
  cursor: ReadonlyMap<string, number | null> | null;
}) {
  const { t, of } = useWords();
  const spoken = useSpokenValue();
  const asked = new URLSearchParams({ ...moments(span), ...(bucket && { bucket }) });
  return (
    <ul className="chart-legend">
      {points.map((point, index) => {
        const at = cursor?.get(point.point);
        const value = at === undefined ? point.value : point.kind === 'state' && at !== null ? at > 0 : at;
        return (
          <li key={point.point}>
            <span
              className="chart-line"
              style={{ borderTopColor: stroke(index).colour, borderTopStyle: stroke(index).shape }}
            />
            <span>{of(point.name)}</span>
            <strong>
              {spoken(point.point, value)} {point.unit}
            </strong>
            <a
              href={`/api/v1/facilities/${where.site}/${where.facility}/points/${point.point}/readings.csv?${asked}`}
              download
              aria-label={t('chart.csv', { name: of(point.name) })}
            >
              <DownloadOutlined aria-hidden="true" /> {t('chart.csv_short')}
            </a>
          </li>
        );
      })}
    </ul>
  );
}
