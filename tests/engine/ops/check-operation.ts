import { checkOperation as checkOn, type OperationCheck } from '../../../src/engine/reference/check-operation.ts';
import { testDevice } from '../test-device.ts';

export { expectClose, type Input, type OperationCheck } from '../../../src/engine/reference/check-operation.ts';

/** Checks one call of an operation, or of an expression, on the device that tests share. @throws Error naming the worst element */
export async function checkOperation(check: OperationCheck): Promise<void> {
  await checkOn(await testDevice(), check);
}
