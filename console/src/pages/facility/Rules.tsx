import { Button, Input } from 'antd';
import { useMemo, useState } from 'react';
import type { ParameterOut, RuleOut, RulesOut, Value } from '../../api/schema';
import type { Where } from '../../estate/facility';
import { bare, figure } from '../../estate/values';
import { useSession } from '../../session/session';
import { useNow_ms } from '../../time/now';
import { duration, moment } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useTexts, useWords } from '../../words/words';
import { ParameterForm } from './ParameterForm';
import { TEXTS } from './texts';

/** The rules in force with their figures, and the limits people may set here. */
export function Rules({ where, rules, values }: { where: Where; rules: RulesOut; values: readonly Value[] }) {
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const [words, setWords] = useState('');
  const said = useSaid(rules, values);
  const wanted = words.trim().toLowerCase();
  const shown = rules.rules.filter(
    rule => wanted === '' || `${rule.key} ${of(rule.title)} ${said(rule.when)}`.toLowerCase().includes(wanted),
  );
  return (
    <div className="rules">
      <section>
        <h3>{say('limits')}</h3>
        <Parameters where={where} parameters={rules.parameters} values={values} />
      </section>
      <section>
        <h3>{say('in_force', { n: rules.rules.length })}</h3>
        <Input
          allowClear
          value={words}
          onChange={event => setWords(event.target.value)}
          placeholder={say('search')}
          aria-label={say('search')}
          maxLength={80}
        />
        {shown.map(rule => (
          <Rule key={rule.key} rule={rule} said={said} />
        ))}
        {rules.left_out.length > 0 && (
          <details className="rule">
            <summary>{say('left_out', { n: rules.left_out.length })}</summary>
            <ul>
              {rules.left_out.map(each => (
                <li key={`${each.key} ${each.part}`}>
                  {of(each.title)} {each.part} <code>{each.reason}</code>
                </li>
              ))}
            </ul>
          </details>
        )}
      </section>
    </div>
  );
}

const OPERATORS = ['and', 'or', 'not', 'any', 'all', 'under_test', 'under_work'] as const;

/** The condition with names in the reader's language in place of keys. */
function useSaid(rules: RulesOut, values: readonly Value[]): (expression: string) => string {
  const { of } = useWords();
  const say = useTexts(TEXTS);
  return useMemo(() => {
    const names = new Map<string, string>(OPERATORS.map(each => [each, say(each)]));
    for (const each of values) {
      const [name, part] = [of(each.name), each.part_name ? of(each.part_name) : ''];
      const own = name.startsWith(part) ? name.slice(part.length).trim() : name;
      names.set(each.point, name);
      // A rule for each part speaks of `self.run`, one about all of a kind of `pump.run`.
      if (each.part !== null)
        for (const whose of ['self', each.part_kind]) names.set(`${whose}.${bare(each.point)}`, own);
    }
    for (const each of rules.parameters) {
      names.set(each.name, of(each.title));
      if (each.name.includes('.')) names.set(`self.${bare(each.name)}`, of(each.title));
    }
    return expression => expression.replace(/[a-z][a-z0-9_]*(\.[a-z0-9_]+)*/g, key => names.get(key) ?? key);
  }, [rules, values, say, of]);
}

function Rule({ rule, said }: { rule: RuleOut; said: (expression: string) => string }) {
  const { of, language } = useWords();
  const say = useTexts(TEXTS);
  const { name } = useServiceWords();
  const span = (seconds: number) => duration(language, seconds * 1_000);
  return (
    <details className={`rule${rule.silenced_by.length > 0 ? ' rule-silenced' : ''}`}>
      <summary>
        <strong>{of(rule.title)}</strong> <span className="rule-severity">{name('severity', rule.severity)}</span>
        <code className="rule-when">{said(rule.when)}</code>
      </summary>
      <dl className="facts">
        <Fact name={say('delay')} value={`${span(rule.on_delay_s)} / ${span(rule.off_delay_s)}`} />
        {rule.parts.length > 0 && <Fact name={say('parts')} value={rule.parts.join(', ')} />}
        {rule.limits.length > 0 && (
          <Fact
            name={say('figures')}
            value={rule.limits.map(each => `${said(each.point)} ${each.comparison} ${figure(each.limit)}`).join(' · ')}
          />
        )}
        {rule.clears_when && <Fact name={say('clears')} value={said(rule.clears_when)} />}
        {rule.suppressed_when && <Fact name={say('suppressed')} value={said(rule.suppressed_when)} />}
        <Fact name={say('means')} value={of(rule.guidance.means)} />
        <Fact name={say('check')} value={of(rule.guidance.check)} />
        <Fact name={say('call')} value={of(rule.guidance.call)} />
        <Fact name={say('source')} value={[rule.source, rule.clause].filter(Boolean).join(' · ')} />
        {rule.never_reported.length > 0 && <Fact name={say('never')} value={rule.never_reported.join(', ')} />}
      </dl>
    </details>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div className="fact-wide">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Parameters({
  where,
  parameters,
  values,
}: {
  where: Where;
  parameters: readonly ParameterOut[];
  values: readonly Value[];
}) {
  const { of, language } = useWords();
  const say = useTexts(TEXTS);
  const { can } = useSession();
  const now_ms = useNow_ms();
  const [edited, setEdited] = useState<ParameterOut | null>(null);
  const may = can('parameters', where.site);
  const parts = useMemo(
    () =>
      new Map(values.flatMap(each => (each.part && each.part_name ? [[each.part, of(each.part_name)] as const] : []))),
    [values, of],
  );
  const partOf = ({ name }: ParameterOut) => name.slice(0, Math.max(0, name.lastIndexOf('.')));
  if (parameters.length === 0) return <p className="open-none">{say('no_limits')}</p>;
  return (
    <div className="points-box">
      <table className="points parameters">
        <thead>
          <tr>
            <th scope="col">{say('limit')}</th>
            <th scope="col" className="number">
              {say('in_force_now')}
            </th>
            <th scope="col" className="number">
              {say('default')}
            </th>
            <th scope="col">{say('set_by')}</th>
            {may && <th scope="col">{say('deed')}</th>}
          </tr>
        </thead>
        <tbody>
          {parameters.map(each => (
            <tr key={each.name}>
              <td>
                {of(each.title)} <small>{parts.get(partOf(each)) ?? partOf(each)}</small>
              </td>
              <td className="number">
                <strong>{figure(each.value)}</strong> {each.unit}
              </td>
              <td className="number">{figure(each.default)}</td>
              <td>
                {each.author
                  ? `${each.author}${each.set_at ? ` · ${moment(language, each.set_at, now_ms)}` : ''}`
                  : '–'}
                {each.reason && <div className="parameter-reason">{each.reason}</div>}
              </td>
              {may && (
                <td>
                  <Button
                    size="small"
                    onClick={() => setEdited(each)}
                    aria-label={`${say('change')} ${of(each.title)}`}
                  >
                    {say('change')}
                  </Button>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {edited && <ParameterForm where={where} parameter={edited} onGone={() => setEdited(null)} />}
    </div>
  );
}
