import type { Texts } from '../../words/words';

/** By what people found who looked at it. */
export const TEXTS = {
  fitness: { zh: '完好情况', en: 'Fitness' },
  every_fitness: { zh: '完好情况不限', en: 'Any fitness' },
  fitness_unfit: { zh: '有缺陷或不能使用', en: 'Faulty or out of use' },
  fitness_out_of_use: { zh: '不能使用', en: 'Out of use' },
  fitness_faulty: { zh: '有缺陷', en: 'Faulty' },
  fitness_fit: { zh: '完好', en: 'Fit' },
} as const satisfies Texts;
