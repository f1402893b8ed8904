import { QuestionCircleOutlined, SearchOutlined } from '@ant-design/icons';
import { Button, Checkbox, Dropdown, Input, type InputRef, Select } from 'antd';
import type { Ref } from 'react';
import { PRIORITIES } from '../../estate/standing';
import { useSession } from '../../session/session';
import { useServiceWords } from '../../words/vocabulary';
import { useWords } from '../../words/words';
import type { Wanted } from './order';

type Props = {
  readonly wanted: Wanted;
  readonly columns: readonly string[];
  readonly onChange: (change: Partial<Wanted>) => void;
  readonly onColumns: (hidden: readonly string[]) => void;
  readonly onHelp: () => void;
  readonly search: Ref<InputRef>;
};

const GRADES = ['A', 'B', 'C'];
const COLUMNS = ['trend', 'order'] as const;

/** What is shown and how. All of it is kept with the person. */
export function Toolbar({ wanted, columns, onChange, onColumns, onHelp, search }: Props) {
  const { t, of } = useWords();
  const { name } = useServiceWords();
  const { me } = useSession();
  const sites = me?.sites ?? [];
  return (
    <search className="toolbar" aria-label={t('filter.filters')}>
      <Input
        ref={search}
        className="toolbar-search"
        prefix={<SearchOutlined aria-hidden="true" />}
        placeholder={t('filter.words')}
        aria-label={t('filter.words')}
        allowClear
        value={wanted.words}
        maxLength={100}
        onChange={event => onChange({ words: event.target.value })}
      />
      {sites.length > 1 && (
        <Several
          label={t('filter.sites')}
          value={wanted.sites}
          options={sites.map(each => ({ value: each.site, label: of(each.name) }))}
          onChange={chosen => onChange({ sites: chosen })}
        />
      )}
      <Several
        label={t('filter.priorities')}
        value={wanted.priorities}
        options={PRIORITIES.map(each => ({ value: each, label: name('priority', each) }))}
        onChange={chosen => onChange({ priorities: chosen })}
      />
      <Several
        label={t('filter.grades')}
        value={wanted.grades}
        options={GRADES.map(each => ({ value: each, label: name('grade', each) }))}
        onChange={chosen => onChange({ grades: chosen })}
      />
      <Checkbox checked={wanted.unacknowledged} onChange={event => onChange({ unacknowledged: event.target.checked })}>
        {t('filter.unacknowledged')}
      </Checkbox>
      <OneOf
        label={t('filter.sort')}
        value={wanted.sort}
        options={(['importance', 'newest'] as const).map(each => ({ value: each, label: t(`sort.${each}`) }))}
        onChange={sort => onChange({ sort })}
      />
      <OneOf
        label={t('filter.grouping')}
        value={wanted.grouping}
        options={(['auto', 'on', 'off'] as const).map(each => ({ value: each, label: t(`grouping.${each}`) }))}
        onChange={grouping => onChange({ grouping })}
      />
      <Dropdown
        trigger={['click']}
        menu={{
          selectable: true,
          multiple: true,
          selectedKeys: COLUMNS.filter(each => !columns.includes(each)),
          items: COLUMNS.map(each => ({ key: each, label: t(`column.${each}`) })),
          onClick: ({ key }) =>
            onColumns(columns.includes(key) ? columns.filter(each => each !== key) : [...columns, key]),
        }}
      >
        <Button>{t('filter.columns')}</Button>
      </Dropdown>
      <Button
        type="text"
        icon={<QuestionCircleOutlined aria-hidden="true" />}
        aria-label={t('keys.title')}
        onClick={onHelp}
      />
    </search>
  );
}

type Chooser<Value, Chosen> = {
  readonly label: string;
  readonly value: Chosen;
  readonly options: readonly { readonly value: Value; readonly label: string }[];
};

/** As many as one likes; none is all. */
function Several({
  label,
  value,
  options,
  onChange,
}: Chooser<string, readonly string[]> & { onChange: (chosen: string[]) => void }) {
  return (
    <Select
      mode="multiple"
      maxTagCount="responsive"
      className="toolbar-select"
      placeholder={label}
      aria-label={label}
      value={[...value]}
      options={[...options]}
      onChange={onChange}
    />
  );
}

function OneOf<Value extends string>({
  label,
  value,
  options,
  onChange,
}: Chooser<Value, Value> & { onChange: (chosen: Value) => void }) {
  return (
    <Select className="toolbar-sort" aria-label={label} value={value} options={[...options]} onChange={onChange} />
  );
}
