import { DeleteOutlined, UploadOutlined } from '@ant-design/icons';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Alert, Button, Select } from 'antd';
import { useCallback, useState } from 'react';
import { api, given } from '../../api/client';
import { useExplained } from '../../api/problem';
import type { ImportedOut, PreviewOut } from '../../api/schema';
import { Refused } from '../../deeds/Refused';
import { useDeed } from '../../deeds/useDeed';
import { useTexts, useWords } from '../../words/words';
import { Export } from './Export';
import { Difference, Faults } from './Shown';
import { TEXTS } from './texts';
import '../../app/panels.css';
import './import.css';

const BYTES_MAX = 20 * 1024 * 1024;
const FILES_MAX = 20;
const ACCEPTED = '.yaml,.yml,.csv,.xlsx,.xlsm,.xls';

type Sent = { files: { name: string; content: string }[]; ignored: string[] };

/** An estate brought in: files, what they would change or what is wrong with them, and then writing exactly that. */
export default function Import() {
  const say = useTexts(TEXTS);
  const [files, setFiles] = useState<readonly File[]>([]);
  const [ignored, setIgnored] = useState<string[]>([]);
  const [done, setDone] = useState<ImportedOut | null>(null);
  const explained = useExplained();
  const preview = useMutation({
    mutationFn: async () => {
      const sent: Sent = { files: await Promise.all(files.map(encoded)), ignored };
      return { sent, shown: await given(api.POST('/api/v1/estate/preview', { body: sent })) };
    },
  });
  const change = (next: readonly File[]) => {
    setFiles(next);
    preview.reset();
  };
  const bytes = files.reduce((sum, each) => sum + each.size, 0);
  const fault =
    bytes > BYTES_MAX
      ? say('too_large', { size: Math.ceil(bytes / 1024 / 1024) })
      : files.length > FILES_MAX
        ? say('too_many')
        : null;
  if (done !== null)
    return (
      <div className="import">
        <section className="panel" role="status">
          <Alert type="success" showIcon title={say('written')} />
          <Difference difference={done.difference} />
          <Button
            onClick={() => {
              setDone(null);
              change([]);
            }}
          >
            {say('start_over')}
          </Button>
        </section>
      </div>
    );
  return (
    <div className="import">
      <section className="panel import-files" aria-label={say('files')}>
        <p className="import-hint">{say('hint')}</p>
        <Chosen files={files} change={change} />
        <label htmlFor="ignored" className="faint">
          {say('ignored')}
        </label>
        <Select
          id="ignored"
          mode="tags"
          open={false}
          suffixIcon={null}
          value={ignored}
          onChange={(next: string[]) => {
            setIgnored(next);
            preview.reset();
          }}
          tokenSeparators={[',', '，']}
        />
        {fault !== null && (
          <p role="alert" className="refused">
            {fault}
          </p>
        )}
        <Button
          type="primary"
          className="import-do"
          disabled={files.length === 0 || fault !== null}
          loading={preview.isPending}
          onClick={() => preview.mutate()}
        >
          {say('preview')}
        </Button>
        <div aria-live="polite">{preview.isPending && <p className="faint">{say('reading')}</p>}</div>
        {preview.isError && (
          <p role="alert" className="refused">
            {explained(preview.error)}
          </p>
        )}
      </section>
      {preview.data !== undefined && (
        <Shown {...preview.data} onDone={setDone} key={preview.data.shown.digest ?? 'faulty'} />
      )}
      <Export />
    </div>
  );
}

function Chosen({ files, change }: { files: readonly File[]; change: (next: readonly File[]) => void }) {
  const say = useTexts(TEXTS);
  return (
    <>
      <ul className="lines">
        {files.map(each => (
          <li key={each.name}>
            <strong>{each.name}</strong>
            <span className="faint">{say('size', { n: Math.max(1, Math.round(each.size / 1024)) })}</span>
            <Button
              type="text"
              icon={<DeleteOutlined />}
              aria-label={say('take_out', { name: each.name })}
              onClick={() => change(files.filter(one => one !== each))}
            />
          </li>
        ))}
      </ul>
      <label className="file-add">
        <UploadOutlined aria-hidden /> {say(files.length === 0 ? 'choose' : 'add')}
        <input
          type="file"
          multiple
          accept={ACCEPTED}
          onChange={event => {
            const more = [...(event.target.files ?? [])];
            const names = new Set(more.map(each => each.name));
            change([...files.filter(each => !names.has(each.name)), ...more]);
            event.target.value = '';
          }}
        />
      </label>
    </>
  );
}

function Shown({ sent, shown, onDone }: { sent: Sent; shown: PreviewOut; onDone: (answer: ImportedOut) => void }) {
  const say = useTexts(TEXTS);
  const { of } = useWords();
  const queries = useQueryClient();
  const send = useCallback(
    (digest: string, key: string) =>
      given(
        api.POST('/api/v1/estate/import', {
          params: { header: { 'idempotency-key': key } },
          body: { ...sent, shown: digest },
        }),
      ),
    [sent],
  );
  const done = useCallback(
    (answer: ImportedOut) => {
      void queries.invalidateQueries({ queryKey: ['estate'] });
      onDone(answer);
    },
    [queries, onDone],
  );
  const { act, busy, refusal } = useDeed(send, done);
  const { difference, digest } = shown;
  const changes = difference === null ? 0 : Object.values(difference.counts).reduce((sum, each) => sum + each, 0);
  if (shown.refused !== null) {
    const why = <span className="refused-lines">{of(shown.refused)}</span>;
    return <Alert type="error" showIcon title={say('refused')} description={why} />;
  }
  if (difference === null || digest === null) return <Faults shown={shown} />;
  if (changes === 0) return <Alert type="info" showIcon title={say('no_difference')} />;
  return (
    <section className="panel" aria-label={say('difference')}>
      <h3>{say('difference')}</h3>
      <Difference difference={difference} />
      {shown.warnings.map(each => (
        <p key={each.en} className="notice">
          {of(each)}
        </p>
      ))}
      <Refused refusal={refusal} />
      <Button type="primary" className="import-do" loading={busy} onClick={() => void act(digest)}>
        {say('apply', { n: changes })}
      </Button>
    </section>
  );
}

async function encoded(file: File): Promise<{ name: string; content: string }> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return { name: file.name, content: btoa(text) };
}
