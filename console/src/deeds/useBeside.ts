import type { FormInstance } from 'antd';
import { useEffect } from 'react';

type Faults = ReadonlyMap<string, string> | undefined;
type Places = Readonly<Record<string, string>>;

const AS_CALLED: Places = {}; // the same at every render

/**
 * Puts what the service found wrong beside the field of the form it belongs to; it goes when that is changed.
 * `places`: fields that the form calls otherwise than the service.
 */
export function useBeside<T>(form: FormInstance<T>, faults: Faults, places: Places = AS_CALLED) {
  useEffect(() => {
    if (faults === undefined || faults.size === 0) return;
    const fields = [...faults].map(([field, fault]) => ({ name: places[field] ?? field, errors: [fault] }));
    form.setFields(fields as unknown as Parameters<FormInstance<T>['setFields']>[0]);
  }, [form, faults, places]);
}
