import '@tensorflow/tfjs-backend-cpu';
import { finished } from './finished.ts';
import { firstStep } from './tensorflow.ts';

finished(await firstStep('cpu'));
