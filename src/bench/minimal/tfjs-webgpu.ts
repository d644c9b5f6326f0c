import '@tensorflow/tfjs-backend-webgpu';
import { finished } from './finished.ts';
import { firstStep } from './tensorflow.ts';

finished(await firstStep('webgpu'));
