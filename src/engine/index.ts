/** The public face of the engine. */

export { defineLayer, registerBuiltInLayers } from './built-in-layers.ts';
export { loadModel, loadSnapshot, saveModel, saveSnapshot } from './checkpoint.ts';
export { type CompileOptions, compile, type VariantTable } from './compile.ts';
export type { Dataset } from './dataset.ts';
export { validateDataset } from './dataset.ts';
export { type Calls, type Device, type DeviceOptions, type MemoryUse, type Owner, openDevice } from './device.ts';
export { type DifferentiateOptions, differentiate, type Rule } from './differentiate.ts';
export { type ErrorCode, VitrineError } from './errors.ts';
export { Graph, type Node } from './graph.ts';
export type { Initializer } from './initializers.ts';
export {
  type Activation,
  dense,
  dropout,
  embedding,
  flatten,
  gelu,
  type Layer,
  layerNorm,
  relu,
  sigmoid,
  softmax,
  tanh,
} from './layers.ts';
export {
  attentionPooling,
  columnTokens,
  globalAverage,
  patches,
  positionalEmbedding,
  residual,
  selfAttention,
  transformerBlock,
} from './layers-attention.ts';
export type { Loss } from './losses.ts';
export { buildModel, type Examples, type Model, type ModelSpec } from './model.ts';
export { adam, adamW, type Optimizer, type ParameterGroup, sgd } from './optimizers.ts';
export type { Plan, PlanStep, ProfileRow } from './plan.ts';
export { decodeSafetensors, type Safetensors, type StoredTensor } from './safetensors.ts';
export { constantRate, cosineDecay, type Schedule, stepDecay, warmUp } from './schedules.ts';
export type { Change, FullSnapshot, Snapshot, ViewSnapshot } from './snapshot.ts';
export type { Tensor } from './tensor.ts';
export { createTrainer, type Trainer } from './trainer.ts';
export type {
  EarlyStopping,
  EpochRecord,
  Evaluation,
  FitOptions,
  History,
  Progress,
  RunOptions,
  StepRecord,
  StopCondition,
  TrainerOptions,
} from './training-options.ts';
export { type Trial, type TunedClass, type TuneOptions, type Tuning, tune } from './tuner.ts';
export type { TuningStore } from './tuning.ts';
