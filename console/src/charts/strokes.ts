type Stroke = {
  readonly colour: string;
  readonly dash: readonly number[];
  readonly shape: 'solid' | 'dashed' | 'dotted';
};

/** Told apart by their dashes as well; none of them is a colour of an alarm. */
const STROKES: readonly [Stroke, ...Stroke[]] = [
  { colour: '#1f5480', dash: [], shape: 'solid' },
  { colour: '#2f7a64', dash: [9, 4], shape: 'dashed' },
  { colour: '#7d5a3c', dash: [2, 3], shape: 'dotted' },
  { colour: '#3b3f9a', dash: [], shape: 'solid' },
  { colour: '#8c3b6e', dash: [9, 4], shape: 'dashed' },
  { colour: '#4b5563', dash: [2, 3], shape: 'dotted' },
];
export const POINTS_MAX = STROKES.length;
export const stroke = (index: number): Stroke => STROKES[index % STROKES.length] ?? STROKES[0];
