import '@tensorflow/tfjs-backend-webgpu';
import type { Contender } from '../contender.ts';
import { tensorflow } from './tensorflow.ts';

export const contender: Contender = tensorflow('webgpu', 'optimizer.minimize over fused products');
