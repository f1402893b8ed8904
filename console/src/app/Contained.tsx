import { Button, Result } from 'antd';
import { Component, type ReactNode, useEffect } from 'react';
import { useWords } from '../words/words';

const AGAIN_AFTER_MS = 30_000;

/** A page that fails says so and takes nothing else with it: the alarms' sound and the live state stand outside. */
export class Contained extends Component<{ children: ReactNode; alone?: boolean }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    return this.state.failed ? <PageFailed alone={this.props.alone ?? false} /> : this.props.children;
  }
}

/** `alone`: on a wall nobody presses a button, so it is loaded anew. */
function PageFailed({ alone }: { alone: boolean }) {
  const { t } = useWords();
  useEffect(() => {
    if (!alone) return;
    const timer = setTimeout(() => location.reload(), AGAIN_AFTER_MS);
    return () => clearTimeout(timer);
  }, [alone]);
  return (
    <Result
      status="warning"
      title={t('app.page_failed')}
      subTitle={t('app.page_failed_hint')}
      extra={
        <Button type="primary" onClick={() => location.reload()}>
          {t('app.reload')}
        </Button>
      }
    />
  );
}
