/** Looking at the network itself. */

export {
  type TensorReductions,
  type WeightHistogram,
  type WeightRecord,
  type WeightReductionOptions,
  WeightWatch,
  type WeightWatchOptions,
  watchWeights,
  weightReductions,
} from './weight-reductions.ts';
