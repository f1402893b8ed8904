import { useQuery } from '@tanstack/react-query';
import { api, given } from '../../api/client';
import type { CertificateIn, CertificateOut } from '../../api/schema';
import { raw } from '../../deeds/pictures';
import type { Where } from '../../estate/facility';

export const certificatesKey = ({ site, facility }: Where) => ['facility', site, facility, 'certificates'] as const;

export function useCertificates({ site, facility }: Where) {
  return useQuery({
    queryKey: certificatesKey({ site, facility }),
    queryFn: async () => {
      const path = { site, facility };
      return (await given(api.GET('/api/v1/facilities/{site}/{facility}/certificates', { params: { path } }))).items;
    },
  });
}

export function register({ site, facility }: Where, body: CertificateIn, key: string): Promise<CertificateOut> {
  const params = { path: { site, facility }, header: { 'idempotency-key': key } };
  return given(api.POST('/api/v1/facilities/{site}/{facility}/certificates', { params, body }));
}

export function withdraw(certificate: number, note: string, key: string): Promise<CertificateOut> {
  const params = { path: { certificate }, header: { 'idempotency-key': key } };
  return given(api.POST('/api/v1/certificates/{certificate}/withdraw', { params, body: { note } }));
}

export function sendPage(certificate: number, page: Blob, key: string): Promise<CertificateOut> {
  const params = { path: { certificate }, header: { 'idempotency-key': key } };
  return given(api.POST('/api/v1/certificates/{certificate}/pages', { params, ...raw(page) }));
}

export const pageAt = (certificate: number, sha256: string) => `/api/v1/certificates/${certificate}/pages/${sha256}`;
