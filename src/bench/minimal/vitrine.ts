/** The least page that trains with Vitrine: what `size` weighs and `cold-start` times. */

import { buildModel, createTrainer, dense, openDevice } from '../../engine/index.ts';
import { CLASSES, labels, PIXELS, x } from './batch.ts';
import { finished } from './finished.ts';

const device = await openDevice();
const layers = [dense(128, { activation: 'relu' }), dense(CLASSES, { activation: 'softmax' })];
const trainer = await createTrainer(await buildModel(device, { inputShape: [PIXELS], layers }));
finished(await trainer.trainOnBatch(x, labels));
