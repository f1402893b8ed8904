import { Select } from 'antd';
import { useWords } from '../words/words';
import { useSession } from './session';

/** One of the sites this person belongs to, or all of them; nothing where there is nothing to choose. */
export function SiteFilter(props: { label: string; value: string | null; onChange: (site: string | null) => void }) {
  const { of } = useWords();
  const { me } = useSession();
  if ((me?.sites.length ?? 0) <= 1) return null;
  return (
    <Select
      aria-label={props.label}
      allowClear
      placeholder={props.label}
      value={props.value}
      options={me?.sites.map(each => ({ value: each.site, label: of(each.name) })) ?? []}
      onChange={site => props.onChange(site ?? null)}
    />
  );
}
