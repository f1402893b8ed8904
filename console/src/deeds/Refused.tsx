import { Alert } from 'antd';
import type { ReactNode } from 'react';
import type { Refusal } from './useDeed';

/** Why it was not done, in the reader's language; what belongs to a field stands there. */
export function Refused({ refusal, children }: { refusal: Refusal | null; children?: ReactNode }) {
  if (refusal === null) return null;
  return (
    <Alert
      type={refusal.taken ? 'warning' : 'error'}
      showIcon
      className="refusal"
      role="alert"
      title={refusal.said}
      description={children}
    />
  );
}
