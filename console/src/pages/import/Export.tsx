import { DownloadOutlined } from '@ant-design/icons';
import { Button, Select } from 'antd';
import { useState } from 'react';
import { useSession } from '../../session/session';
import { useTexts, useWords } from '../../words/words';
import { TEXTS } from './texts';

const FORMS = ['xlsx', 'yaml', 'csv'] as const;

/** The ledger as files: what is there now, or a workbook to fill in. */
export function Export() {
  const say = useTexts(TEXTS);
  const { of, language } = useWords();
  const { me } = useSession();
  const sites = me?.sites.filter(each => each.rights.includes('estate')) ?? [];
  const [site, setSite] = useState(sites[0]?.site ?? '');
  const [form, setForm] = useState<(typeof FORMS)[number]>('xlsx');
  return (
    <section className="panel export" aria-label={say('export')}>
      <h3>{say('export')}</h3>
      <p className="faint">{say('export_hint')}</p>
      <div className="filters">
        <Select
          aria-label={say('site')}
          value={site}
          options={sites.map(each => ({ value: each.site, label: of(each.name) }))}
          onChange={setSite}
        />
        <Select
          aria-label={say('form')}
          value={form}
          options={FORMS.map(value => ({ value, label: value === 'csv' ? say('form_csv') : value.toUpperCase() }))}
          onChange={setForm}
        />
        <Button
          icon={<DownloadOutlined />}
          href={`/api/v1/estate/export?site=${site}&form=${form}&language=${language}`}
          download
        >
          {say('download')}
        </Button>
        <Button type="link" href={`/api/v1/estate/template?language=${language}`} download>
          {say('template')}
        </Button>
      </div>
    </section>
  );
}
