/** The data that networks learn from: readers, sets, splits, augmentation, and pictures of what is inside. */

export type { Dataset } from '../engine/dataset.ts';
export { type AugmentOptions, augment, type Movement, moveImage } from './augment.ts';
export { CLAUSE_LENGTH, type ClauseDataset, type ClausesOptions, clauses } from './clauses.ts';
export {
  blueOrange,
  type Color,
  type ColorMap,
  cividis,
  colorMaps,
  colorOf,
  greys,
  type Limits,
  limitsOf,
  NOT_FINITE_COLOR,
  viridis,
} from './color-maps.ts';
export { parseTable, type TableOptions } from './csv.ts';
export { likeMnist } from './drawing.ts';
export type { LoadOptions, LoadProgress } from './fetch.ts';
export { type Idx, type IdxData, imageDataset, parseIdx, readIdx, writeIdx } from './idx.ts';
export { loadMnist, type MnistOptions, mnistFrom } from './mnist.ts';
export {
  type ActivationPicture,
  type Arrangement,
  activationPicture,
  arrangement,
  type HeatMap,
  heatmap,
  type PicturedLayer,
  type PicturedTensor,
} from './picture.ts';
export { folds, type SplitOptions, shuffledLabels, split, subset, take, withLabels } from './split.ts';
export { rescale, type Scaling, scalingOf, standardise } from './standardise.ts';
export {
  blobs,
  type PatchOptions,
  type PlantedDataset,
  type PointOptions,
  plantPatch,
  spirals,
  stripes,
  twoMoons,
} from './synthetic.ts';
export { type ColumnGroup, columnGroups, loadBreastCancer, loadGermanCredit } from './tables.ts';
export { decodeText, type EncodedText, encodeText, type TextDataset, UNKNOWN_WORD, wordsOf } from './text.ts';
export { type PicturedWeights, type WeightPictureOptions, weightPictures } from './weight-picture.ts';
