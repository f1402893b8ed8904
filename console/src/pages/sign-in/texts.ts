import type { Texts } from '../../words/words';

/** What is said where one signs in again over a page. */
export const TEXTS = {
  leaves: {
    zh: '统一登录会离开本页，没有提交的内容会丢失；用密码登录则保留',
    en: 'The provider takes you away from this page, and what you have not sent is lost; with your password it stays',
  },
} satisfies Texts;
