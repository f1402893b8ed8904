import { expect, test } from 'vitest';
import { spread } from '../src/charts/labels';

test('labels that are far apart stay at their lines', () => {
  expect(spread([20, 80, 50], 10, 0, 100)).toEqual([20, 80, 50]);
});

test('labels of lines that lie close stand apart, in the order of their lines', () => {
  expect(spread([52, 50, 51], 10, 0, 100)).toEqual([70, 50, 60]);
});

test('none leaves the chart, and where there is no room they come closer together', () => {
  expect(spread([98, 99, 97], 10, 0, 100)).toEqual([90, 100, 80]);
  expect(spread([0, 0, 0], 10, 0, 10)).toEqual([0, 5, 10]);
  expect(spread([], 10, 0, 10)).toEqual([]);
});
