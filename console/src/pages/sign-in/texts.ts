import type { Texts } from '../../words/words';

/** What is said where one signs in again over a page. */
export const TEXTS = {
  leaves: {
    zh: '统一登录会离开本页：没有提交的内容请先复制',
    en: 'The provider takes you away from this page: copy what you have not sent',
  },
} satisfies Texts;
