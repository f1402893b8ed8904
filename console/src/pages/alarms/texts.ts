import type { Texts } from '../../words/words';

/** What the drawer of an alarm says of what a calendar asks for. */
export const TEXTS = {
  pieces: { zh: '哪些设备到期', en: 'Which pieces end' },
  ends: { zh: '{on} 到期', en: 'ends {on}' },
  service_due: { zh: '应于 {on} 前送修', en: 'to be serviced by {on}' },
  papers: { zh: '哪些证书到期', en: 'Which certificates end' },
  as_of: { zh: '{at} 报警时的情况', en: 'As it was when the alarm was raised: {at}' },
  more: { zh: '本设施另有 {n} 件', en: '{n} more at this facility' },
  more_facilities: {
    zh: '本项目另有 {n} 处设施也到期，未逐一报警',
    en: '{n} more facilities of the site have the same and no alarm of their own',
  },
  assets: { zh: '查看设备', en: 'See its assets' },
  certificates: { zh: '查看证书', en: 'See its certificates' },
  plans: { zh: '哪些巡检', en: 'Which rounds' },
  window: { zh: '{from} 至 {until}', en: '{from} to {until}' },
  visited: { zh: '已到 {visited}/{stops} 个点', en: '{visited} of {stops} points visited' },
  rounds: { zh: '查看巡检', en: 'See the rounds' },
} satisfies Texts;
