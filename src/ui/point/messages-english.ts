import { type StrResult, str } from '@lit/localize';

/** The words of the card of a cell. Every other catalogue has the same keys. */
export const pointEnglish = {
  pointedTitle: 'Pointed at',
  lockedTitle: 'Locked',
  title: (state: string, where: string): StrResult => str`${state}: ${where}`,
  free: 'Free it',
  pixel: (row: string, column: string): StrResult => str`Row ${row}, column ${column}`,
  place: (index: string): StrResult => str`Number ${index}`,
  unit: (layer: string, unit: string): StrResult => str`${layer}, unit ${unit}`,
  word: (place: string, word: string): StrResult => str`Word ${place}, “${word}”`,
  padding: (place: string): StrResult => str`Place ${place}, padding`,
  value: 'Value',
  standardised: 'Standardised, x',
  activation: 'Activation',
  bias: 'Bias',
  strongest: (layer: string, unit: string): StrResult => str`Strongest here: unit ${unit} of ${layer}`,
  largestWeight: (layer: string, unit: string): StrResult =>
    str`The value is 0 and brings nothing; unit ${unit} of ${layer} has the largest weight here`,
  weight: 'weight w',
  product: 'w · x',
  weightsOf: (unit: string): StrResult => str`Weights of unit ${unit}`,
  histogram: (count: string, least: string, greatest: string): StrResult => str`Its ${count} weights, from ${least} to ${greatest}`,
  topTitle: (size: string, step: string, active: string): StrResult =>
    str`Answers most to, of ${size} test examples at step ${step}; active for ${active}`,
  topWaiting: 'Looking for the test examples that it answers to …',
  dead: (size: string, step: string): StrResult => str`0 for all ${size} test examples at step ${step}: dead for them`,
  topExample: (index: string, label: string, value: string): StrResult => str`Test example ${index}, ${label}: ${value}`,
  topUnlabelled: (index: string, value: string): StrResult => str`Test example ${index}: ${value}`,
  spokenPixel: (where: string, value: string, maps: string): StrResult => str`${where}: value ${value}. ${maps}`,
  spokenWord: (where: string, maps: string): StrResult => str`${where}. ${maps}`,
  spokenStrongest: (said: string, strongest: string, weight: string): StrResult => str`${said}. ${strongest}, weight ${weight}.`,
  spokenUnit: (where: string, activation: string): StrResult => str`${where}: activation ${activation}.`,
};
