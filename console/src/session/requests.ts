import { given } from '../api/client';
import type { Me } from './me';

async function ask<T>(method: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  return given<T>(
    fetch('/api/v1/session', {
      method,
      headers: body === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
      body: body === undefined ? null : JSON.stringify(body),
    }).then(async response => {
      const text = await response.text();
      const parsed: unknown = text === '' ? undefined : JSON.parse(text);
      return response.ok ? { data: parsed as T, response } : { error: parsed, response };
    }),
  );
}

export const whoAmI = () => ask<Me>('GET');
export const signIn = (login: string, password: string) => ask<Me>('POST', { login, password });
export const signOut = (csrf: string) => ask<undefined>('DELETE', undefined, { 'X-CSRF-Token': csrf });
