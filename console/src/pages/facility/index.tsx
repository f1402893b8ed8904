import { Result, Tabs } from 'antd';
import { useMemo } from 'react';
import { useParams, useSearchParams } from 'react-router';
import { useExplained } from '../../api/problem';
import { Waiting } from '../../app/Waiting';
import { useAlarmRows, useFacility, useOpenOrders, useRules, type Where } from '../../estate/facility';
import { useTexts } from '../../words/words';
import { Assets } from './Assets';
import { Certificates } from './Certificates';
import { Dossier } from './Dossier';
import { Heading } from './Heading';
import { Now } from './Now';
import { Open } from './Open';
import { Rules } from './Rules';
import { TEXTS } from './texts';
import './facility.css';

/** One facility: what it says now and said before, what holds for it, what is open, and everything that ever happened. */
export default function Facility() {
  const { site = '', facility = '' } = useParams();
  return <FacilityAt key={`${site}/${facility}`} where={{ site, facility }} />;
}

function FacilityAt({ where }: { where: Where }) {
  const say = useTexts(TEXTS);
  const explained = useExplained();
  const [asked, ask] = useSearchParams();
  const found = useFacility(where);
  const rules = useRules(where);
  const rows = useAlarmRows(where.site);
  const orders = useOpenOrders(where);
  const mine = useMemo(
    () => (rows.data ?? []).filter(row => row.alarm.facility.key === where.facility),
    [rows.data, where.facility],
  );
  if (found.isError && !found.data) return <Result status="warning" title={explained(found.error)} />;
  if (!found.data) return <Waiting />;
  const silenced = rules.data?.rules.filter(rule => rule.silenced_by.length > 0) ?? [];
  const panes = {
    now: <Now where={where} found={found.data} rules={rules.data?.rules ?? []} rows={mine} />,
    rules: rules.data && <Rules where={where} rules={rules.data} values={found.data.facility.values ?? []} />,
    dossier: <Dossier where={where} kind={found.data.facility.kind} />,
    certificates: <Certificates where={where} />,
    assets: <Assets found={found.data} where={where} />,
  };
  const names = ['now', 'rules', 'dossier', 'certificates', 'assets'] as const;
  const pane = names.find(name => name === asked.get('tab')) ?? 'now';
  return (
    <div className="facility">
      <Heading where={where} found={found.data} stale={found.isError} />
      <Open rows={mine} orders={orders.data ?? []} silenced={silenced} />
      <Tabs
        activeKey={pane}
        onChange={name => ask(name === 'now' ? {} : { tab: name }, { replace: true })}
        destroyOnHidden
        items={names.map(name => ({ key: name, label: say(`pane_${name}`), children: panes[name] }))}
      />
    </div>
  );
}
