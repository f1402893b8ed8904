import { PlusOutlined } from '@ant-design/icons';
import { Button, Drawer, Empty, Segmented } from 'antd';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { useExplained } from '../../api/problem';
import { Waiting } from '../../app/Waiting';
import { SiteFilter } from '../../session/SiteFilter';
import { useSession } from '../../session/session';
import { useNow_ms } from '../../time/now';
import { useTexts } from '../../words/words';
import { IssueForm } from './IssueForm';
import { PermitCard } from './PermitCard';
import { inOrder, type Permit, stateAt, useCurrentPermits, usePastPermits } from './permits';
import { TEXTS } from './texts';
import '../../app/panels.css';
import './permits.css';

export default function Permits() {
  const say = useTexts(TEXTS);
  const { can } = useSession();
  const [params, setParams] = useSearchParams();
  const [issuing, setIssuing] = useState(false);
  const site = params.get('site');
  const past = params.get('view') === 'past';
  const change = (changed: { site?: string | null; past?: boolean }) => {
    const next = new URLSearchParams();
    const [nextSite, nextPast] = [changed.site === undefined ? site : changed.site, changed.past ?? past];
    if (nextSite !== null) next.set('site', nextSite);
    if (nextPast) next.set('view', 'past');
    setParams(next, { replace: true });
  };
  return (
    <div className="permits">
      <search className="filters">
        <Segmented
          aria-label={say('view')}
          value={past ? 'past' : 'current'}
          options={(['current', 'past'] as const).map(value => ({ value, label: say(`view_${value}`) }))}
          onChange={view => change({ past: view === 'past' })}
        />
        <SiteFilter label={say('site')} value={site} onChange={chosen => change({ site: chosen })} />
        {can('permit') && (
          <Button type="primary" icon={<PlusOutlined />} onClick={() => setIssuing(true)} className="permits-issue">
            {say('issue')}
          </Button>
        )}
      </search>
      {past ? <Past site={site} /> : <Current site={site} />}
      <Drawer open={issuing} onClose={() => setIssuing(false)} size="large" title={say('issue')}>
        <IssueForm site={site} onIssued={() => setIssuing(false)} />
      </Drawer>
    </div>
  );
}

const PARTS = ['overrun', 'standing', 'ahead'] as const;

function Current({ site }: { site: string | null }) {
  const say = useTexts(TEXTS);
  const explained = useExplained();
  const now_ms = useNow_ms();
  const asked = useCurrentPermits(site);
  if (asked.isPending) return <Waiting />;
  if (asked.data === undefined)
    return (
      <p className="refused" role="alert">
        {explained(asked.error)}
      </p>
    );
  const permits = inOrder(asked.data.map(each => ({ ...each, state: stateAt(each, now_ms) })));
  if (permits.length === 0) return <Empty description={say('none')} />;
  return (
    <>
      {PARTS.map(part => (
        <Part key={part} part={part} permits={permits.filter(each => each.state === part)} />
      ))}
    </>
  );
}

function Part({ part, permits }: { part: (typeof PARTS)[number]; permits: readonly Permit[] }) {
  const say = useTexts(TEXTS);
  if (permits.length === 0) return null;
  return (
    <section aria-label={say(`part_${part}`)}>
      <h2 className="part-title">
        {say(`part_${part}`)} <span className="count">{permits.length}</span>
      </h2>
      <ul className="permit-cards">
        {permits.map(each => (
          <PermitCard key={each.id} permit={each} />
        ))}
      </ul>
    </section>
  );
}

function Past({ site }: { site: string | null }) {
  const say = useTexts(TEXTS);
  const explained = useExplained();
  const asked = usePastPermits(site, true);
  if (asked.isPending) return <Waiting />;
  if (asked.data === undefined)
    return (
      <p className="refused" role="alert">
        {explained(asked.error)}
      </p>
    );
  const permits = asked.data.pages.flatMap(page => page.items);
  return (
    <>
      {permits.length === 0 && <Empty description={say('none_past')} />}
      <ul className="permit-cards">
        {permits.map(each => (
          <PermitCard key={each.id} permit={each} />
        ))}
      </ul>
      {asked.hasNextPage && (
        <Button block loading={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
          {say('older')}
        </Button>
      )}
    </>
  );
}
