import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { App as Antd, ConfigProvider } from 'antd';
import en from 'antd/locale/en_US';
import zh from 'antd/locale/zh_CN';
import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react';
import { BrowserRouter, Navigate, Route, Routes } from 'react-router';
import { Failed } from '../api/problem';
import { LiveProvider } from '../live/live';
import { NotFound } from '../pages/not-found';
import { SessionProvider, useSession } from '../session/session';
import { useWords, WordsProvider } from '../words/words';
import { Contained } from './Contained';
import { Frame } from './Frame';
import { PAGES } from './pages';
import { useTheme } from './theme';
import { Waiting } from './Waiting';

function patient(attempt: number, error: unknown): boolean {
  // What was refused will be refused again; what was not answered is worth another try.
  return error instanceof Failed && (error.lost || error.status === 503) && attempt < 3;
}

export function App() {
  const [queries] = useState(
    () =>
      new QueryClient({
        defaultOptions: { queries: { retry: patient, staleTime: 30_000, refetchOnWindowFocus: false } },
      }),
  );
  return (
    <WordsProvider>
      <QueryClientProvider client={queries}>
        <Themed>
          <SessionProvider>
            <Signed />
          </SessionProvider>
        </Themed>
      </QueryClientProvider>
    </WordsProvider>
  );
}

function Themed({ children }: { children: ReactNode }) {
  const { language } = useWords();
  const theme = useTheme();
  return (
    <ConfigProvider locale={language === 'zh' ? zh : en} theme={theme} button={{ autoInsertSpace: false }}>
      <Antd component={false}>{children}</Antd>
    </ConfigProvider>
  );
}

const SignIn = lazy(() => import('../pages/sign-in').then(page => ({ default: page.SignIn })));
const SignInAgain = lazy(() => import('../pages/sign-in').then(page => ({ default: page.SignInAgain })));
const NewPassword = lazy(() => import('../pages/sign-in').then(page => ({ default: page.NewPassword })));
const ROUTES = PAGES.map(page => ({ ...page, Page: lazy(page.load) }));

/** The page that is asked for, fetched before one is signed in: what it lacks then is what it shows. */
function whileOneTypes() {
  const [asked] = location.pathname.split('/').filter(Boolean);
  const page = PAGES.find(each => each.path === (asked ?? 'alarms'));
  page?.load().catch(() => undefined); // whoever shows it asks again, and says what is the matter
}

function Signed() {
  const { standing } = useSession();
  const signedIn = standing === 'signed_in' || standing === 'expired';
  useEffect(() => {
    if (standing === 'nobody') whileOneTypes();
  }, [standing]);
  return (
    <LiveProvider running={standing === 'signed_in'}>
      {standing === 'unknown' && <Waiting />}
      <Suspense fallback={<Waiting />}>
        {(standing === 'nobody' || standing === 'unreachable') && <SignIn />}
        {standing === 'new_password' && <NewPassword />}
        {standing === 'expired' && <SignInAgain />}
      </Suspense>
      {signedIn && (
        <BrowserRouter>
          <Routes>
            <Route index element={<Navigate to="/alarms" replace />} />
            {ROUTES.map(({ Page, ...page }) => {
              const content = (
                <Contained key={page.path} alone={page.bare ?? false}>
                  <Suspense fallback={<Waiting />}>
                    <Page />
                  </Suspense>
                </Contained>
              );
              return (
                <Route
                  key={page.path}
                  path={page.path}
                  element={page.bare ? content : <Frame page={page}>{content}</Frame>}
                />
              );
            })}
            <Route path="*" element={<NotFound />} />
          </Routes>
        </BrowserRouter>
      )}
    </LiveProvider>
  );
}
