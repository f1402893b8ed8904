import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Alert, App, Button, Empty } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, deedKey, given } from '../../api/client';
import { useExplained } from '../../api/problem';
import type { ConditionOut, Priority } from '../../api/schema';
import { Waiting } from '../../app/Waiting';
import { Mark } from '../../drawn/Mark';
import { useLiveQueries } from '../../live/live';
import type { Right } from '../../session/me';
import { useSession } from '../../session/session';
import { useNow_ms } from '../../time/now';
import { duration, moment } from '../../time/spoken';
import type { Word } from '../../words/catalogue';
import { useServiceWords } from '../../words/vocabulary';
import { useWords } from '../../words/words';
import './shelf.css';

const SHELF = ['shelf'] as const;
const PAGE_ROWS = 500;
/** A condition that is hidden without an alarm says nothing on the stream when it comes back: looked at so often. */
const LOOKED_AT_EVERY_MS = 15_000;
const MARK_OF: Readonly<Record<ConditionOut['severity'], Priority>> = {
  life_safety: 'urgent',
  critical: 'high',
  warning: 'medium',
};

type Section = { readonly key: 'SHLVD' | 'OOSRV' | 'DSUPR'; readonly word: Word; readonly hint: Word };
const SECTIONS: readonly Section[] = [
  { key: 'SHLVD', word: 'shelf.shelved', hint: 'shelf.shelved_hint' },
  { key: 'OOSRV', word: 'shelf.out_of_service', hint: 'shelf.out_of_service_hint' },
  { key: 'DSUPR', word: 'shelf.suppressed', hint: 'shelf.suppressed_hint' },
];

async function everythingHidden(): Promise<readonly ConditionOut[]> {
  const found: ConditionOut[] = [];
  let after: string | null = null;
  do {
    const query: { flagged: true; limit: number; after?: string } = { flagged: true, limit: PAGE_ROWS };
    if (after !== null) query.after = after;
    const page: { items: ConditionOut[]; next: string | null } = await given(
      api.GET('/api/v1/conditions', { params: { query } }),
    );
    found.push(...page.items);
    after = page.next;
  } while (after !== null);
  return found;
}

/** What is hidden, by whom, why and until when: those that come back soonest first, life safety before everything. */
export default function Shelf() {
  const { t } = useWords();
  const explained = useExplained();
  useLiveQueries(['alarm', 'permit'], SHELF);
  const { data, error } = useQuery({
    queryKey: SHELF,
    queryFn: everythingHidden,
    refetchInterval: LOOKED_AT_EVERY_MS,
  });
  if (data === undefined)
    return error === null ? <Waiting /> : <Alert type="error" showIcon title={explained(error)} role="alert" />;
  if (data.length === 0)
    return <Empty className="shelf-empty" image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('shelf.empty')} />;
  return (
    <div className="shelf">
      {SECTIONS.map(section => {
        const found = data.filter(each => each.shown === section.key).sort(bySoonest);
        return found.length === 0 ? null : (
          <section key={section.key} aria-labelledby={`shelf-${section.key}`}>
            <h2 id={`shelf-${section.key}`}>
              {t(section.word)} <small>{found.length}</small>
            </h2>
            <p>{t(section.hint)}</p>
            <ul>
              {found.map(each => (
                <Hidden key={each.id} condition={each} />
              ))}
            </ul>
          </section>
        );
      })}
    </div>
  );
}

function bySoonest(a: ConditionOut, b: ConditionOut): number {
  const grave = Number(b.severity === 'life_safety') - Number(a.severity === 'life_safety');
  return grave || (a.shelved_until ?? '~').localeCompare(b.shelved_until ?? '~') || a.id - b.id;
}

const COME_BACK = {
  SHLVD: { step: 'unshelve', path: 'unshelve', right: 'shelve' },
  OOSRV: { step: 'return_to_service', path: 'return-to-service', right: 'out_of_service' },
} as const satisfies Record<string, { step: string; path: string; right: Right }>;

function Hidden({ condition }: { condition: ConditionOut }) {
  const { t, of, language } = useWords();
  const { name } = useServiceWords();
  const { can } = useSession();
  const now_ms = useNow_ms();
  const bringBack = useBringBack(condition);
  const { shown, facility } = condition;
  const way = shown === 'SHLVD' || shown === 'OOSRV' ? COME_BACK[shown] : null;
  const may = way !== null && can(way.right, facility.site) && condition.legal_moves.includes(way.step);
  return (
    <li className="shelf-row">
      <Mark priority={MARK_OF[condition.severity]} grade={facility.grade} filled={false} />
      <span className="shelf-what">
        <strong>{of(condition.title)}</strong>
        <span className="shelf-faint">
          {of(facility.name)}
          {condition.part === null ? '' : ` · ${condition.part}`} · {name('severity', condition.severity)}
        </span>
      </span>
      <span className="shelf-who">
        {condition.shelved_until !== null && (
          <>
            <span>
              {t('shelf.until', {
                at: moment(language, condition.shelved_until, now_ms),
                left: duration(language, Math.max(0, Date.parse(condition.shelved_until) - now_ms)),
              })}
            </span>
            <span className="shelf-faint">
              {t('shelf.by', { who: condition.shelved_by ?? t('shelf.nobody') })}
              {condition.shelved_one_shot && ` · ${t('shelf.one_shot')}`}
            </span>
          </>
        )}
        {condition.out_of_service_reason !== null && <span>{condition.out_of_service_reason}</span>}
      </span>
      <span className="shelf-behind">
        {condition.alarm === null ? (
          <span className="shelf-faint">{t('shelf.nothing_behind')}</span>
        ) : (
          <Link to={`/alarms?alarm=${condition.alarm}`}>{t('shelf.alarm_behind')}</Link>
        )}
      </span>
      {way !== null && may && (
        <Button loading={bringBack.busy} onClick={() => void bringBack.act(way.path)}>
          {t(`shelf.${way.step}`)}
        </Button>
      )}
    </li>
  );
}

function useBringBack(condition: ConditionOut) {
  const queries = useQueryClient();
  const explained = useExplained();
  const { t } = useWords();
  const { notification } = App.useApp();
  const [busy, setBusy] = useState(false);
  async function act(path: 'unshelve' | 'return-to-service') {
    setBusy(true);
    try {
      await given(
        api.POST(`/api/v1/conditions/{condition}/${path}`, {
          params: { path: { condition: condition.id } },
          headers: { 'Idempotency-Key': deedKey() },
          body: { note: null },
        }),
      );
    } catch (error) {
      notification.error({ title: t('shelf.failed'), description: explained(error), role: 'alert' });
    } finally {
      setBusy(false);
      await queries.invalidateQueries({ queryKey: SHELF });
    }
  }
  return { busy, act };
}
