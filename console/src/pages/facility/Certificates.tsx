import { PaperClipOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import { useCallback, useState } from 'react';
import { deedKey } from '../../api/client';
import { useExplained } from '../../api/problem';
import type { CertificateOut } from '../../api/schema';
import { Waiting } from '../../app/Waiting';
import { ready } from '../../deeds/pictures';
import type { Where } from '../../estate/facility';
import { useSession } from '../../session/session';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useTexts, useWords } from '../../words/words';
import { CertificateForm } from './CertificateForm';
import { certificatesKey, pageAt, sendPage, useCertificates } from './certificates';
import { TEXTS } from './texts';
import { WithdrawForm } from './WithdrawForm';

const PDF = 'application/pdf';

/** What is being filled in: a new one, one in place of another, or why one counts no more. */
type Filling = { readonly what: 'add' | 'replace' | 'withdraw'; readonly of: CertificateOut | null };

/** What others certified of this facility, and until when; what counts no longer stays, below. */
export function Certificates({ where }: { where: Where }) {
  const say = useTexts(TEXTS);
  const explained = useExplained();
  const { can } = useSession();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const [filling, fill] = useState<Filling | null>(null);
  const found = useCertificates(where);
  const renew = useCallback(
    () => void queries.invalidateQueries({ queryKey: ['facility', where.site, where.facility] }),
    [queries, where.site, where.facility],
  );
  const gone = useCallback(() => fill(null), []);
  const done = useCallback(() => {
    renew();
    void message.success(say('certificate_done'));
    fill(null);
  }, [renew, message, say]);
  if (found.isError && !found.data) return <p role="alert">{explained(found.error)}</p>;
  if (!found.data) return <Waiting />;
  const may = can('estate', where.site);
  const counting = found.data.filter(each => each.counts);
  const past = found.data.filter(each => !each.counts);
  return (
    <div className="certificates">
      {may && (
        <Button type="primary" onClick={() => fill({ what: 'add', of: null })}>
          {say('certificate_new')}
        </Button>
      )}
      {counting.length === 0 && <p className="open-none">{say('certificate_none')}</p>}
      <ul className="certificate-list">
        {counting.map(each => (
          <Row key={each.id} where={where} row={each} fill={may ? fill : null} />
        ))}
      </ul>
      {past.length > 0 && (
        <details>
          <summary>{say('certificate_past', { n: past.length })}</summary>
          <ul className="certificate-list">
            {past.map(each => (
              <Row key={each.id} where={where} row={each} fill={null} />
            ))}
          </ul>
        </details>
      )}
      {(filling?.what === 'add' || filling?.what === 'replace') && (
        <CertificateForm where={where} replaces={filling.of} onDone={done} onGone={gone} />
      )}
      {filling?.what === 'withdraw' && filling.of !== null && (
        <WithdrawForm of={filling.of} onDone={done} onGone={gone} />
      )}
    </div>
  );
}

function Row({ where, row, fill }: { where: Where; row: CertificateOut; fill: ((one: Filling) => void) | null }) {
  const { of, language } = useWords();
  const say = useTexts(TEXTS);
  const now_ms = useNow_ms();
  const days_left = row.days_left ?? 0;
  return (
    <li className={`certificate certificate-${row.counts ? (row.expiry ?? 'open') : 'past'}`}>
      <strong>{of(row.kind_name)}</strong>
      <span className="certificate-end">
        {row.withdrawn_at !== null
          ? say('certificate_withdrawn', { by: row.withdrawn_by ?? '', at: moment(language, row.withdrawn_at, now_ms) })
          : row.replaced_by !== null
            ? say('certificate_replaced')
            : row.valid_until === null
              ? say('certificate_no_end')
              : days_left < 0
                ? say('certificate_ended', { on: row.valid_until, n: -days_left })
                : say(row.expiry === 'later' ? 'certificate_until_on' : 'certificate_ends', {
                    on: row.valid_until,
                    n: days_left,
                  })}
      </span>
      <dl className="facts">
        <Fact name={say('certificate_number')} value={row.number} />
        <Fact name={say('certificate_issuer')} value={row.issuer} />
        <Fact name={say('certificate_issued')} value={row.issued_on} />
        {!row.counts && row.valid_until !== null && <Fact name={say('certificate_until')} value={row.valid_until} />}
        {row.note !== null && <Fact name={say('certificate_note')} value={row.note} />}
        {row.withdrawn_why !== null && <Fact name={say('reason')} value={row.withdrawn_why} />}
      </dl>
      <Pages where={where} row={row} may={fill !== null} />
      {fill !== null && (
        <span className="certificate-deeds">
          <Button size="small" onClick={() => fill({ what: 'replace', of: row })}>
            {say('certificate_renew')}
          </Button>
          <Button size="small" onClick={() => fill({ what: 'withdraw', of: row })}>
            {say('certificate_withdraw')}
          </Button>
        </span>
      )}
    </li>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** The paper itself: a PDF to save, a picture to look at; and more of it. What could not be sent says why and may be sent again. */
function Pages({ where, row, may }: { where: Where; row: CertificateOut; may: boolean }) {
  const say = useTexts(TEXTS);
  const explained = useExplained();
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const send = async (files: readonly File[]) => {
    setBusy(true);
    setWrong(null);
    try {
      for (const file of files) {
        const page = file.type === PDF ? file : await ready(file).catch(() => null);
        if (page === null) setWrong(say('certificate_no_page', { name: file.name }));
        else await sendPage(row.id, page, deedKey());
      }
    } catch (error) {
      setWrong(explained(error));
    } finally {
      setBusy(false);
      void queries.invalidateQueries({ queryKey: certificatesKey(where) });
    }
  };
  return (
    <span className="certificate-pages">
      {row.pages.map((page, at) => (
        <a key={page.sha256} href={pageAt(row.id, page.sha256)} target="_blank" rel="noreferrer">
          <PaperClipOutlined aria-hidden /> {say(page.media_type === PDF ? 'certificate_pdf' : 'certificate_picture')}{' '}
          {at + 1}
        </a>
      ))}
      {may && (
        <label className={busy ? 'certificate-add certificate-busy' : 'certificate-add'}>
          {say(busy ? 'certificate_sending' : 'certificate_add_page')}
          <input
            type="file"
            accept={`${PDF},image/jpeg,image/png,image/webp`}
            multiple
            disabled={busy}
            onChange={event => {
              void send([...(event.target.files ?? [])]);
              event.target.value = '';
            }}
          />
        </label>
      )}
      {wrong !== null && <span role="alert">{wrong}</span>}
    </span>
  );
}
