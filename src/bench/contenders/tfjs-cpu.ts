import '@tensorflow/tfjs-backend-cpu';
import type { Contender } from '../contender.ts';
import { tensorflow } from './tensorflow.ts';

export const contender: Contender = tensorflow('cpu', 'plain JavaScript');
