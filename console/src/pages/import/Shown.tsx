import type { DifferenceOut, PreviewOut } from '../../api/schema';
import { useTexts, useWords } from '../../words/words';
import { TEXTS } from './texts';

const MARKS: Readonly<Record<string, string>> = { '+': 'line-added', '-': 'line-removed', '>': 'line-renamed' };

/** Line by line, as the command line prints it. */
export function Difference({ difference }: { difference: DifferenceOut }) {
  const { language } = useWords();
  const lines = difference[language].map((line, at) => ({ line, at }));
  return (
    <ul className="difference">
      {lines.map(({ line, at }) => (
        <li key={at} className={MARKS[line.charAt(0)]}>
          {line}
        </li>
      ))}
    </ul>
  );
}

/** Every fault with its file, sheet, row and column, and what was perhaps meant. */
export function Faults({ shown }: { shown: PreviewOut }) {
  const say = useTexts(TEXTS);
  const { of } = useWords();
  const faults = shown.faults.map((each, at) => ({ ...each, at }));
  return (
    <section className="panel" aria-label={say('faults', { n: shown.faults_count })}>
      <h3 role="alert">{say('faults', { n: shown.faults_count })}</h3>
      <div className="table-scroll">
        <table className="table">
          <thead>
            <tr>
              {(['file', 'sheet', 'row', 'column', 'what', 'meant'] as const).map(each => (
                <th key={each} scope="col">
                  {say(each)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {faults.map(each => (
              <tr key={each.at}>
                <td>{each.file}</td>
                <td>{each.sheet}</td>
                <td>{each.row}</td>
                <td>
                  {each.column} {each.header}
                </td>
                <td>
                  {of(each.said)}
                  {each.path !== '' && each.column === null && <code className="faint fault-path">{each.path}</code>}
                </td>
                <td>{each.nearest.join(' · ')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {shown.faults_count > faults.length && <p className="faint">{say('fault_more', { n: faults.length })}</p>}
    </section>
  );
}
