import { hostTask } from '../../../src/cli/page/host.ts';

/** Does, in a page, whatever a test of the headless plumbing asks for. */
await hostTask(async (parameters: { ask: string }, report: (event: unknown) => void, signal) => {
  switch (parameters.ask) {
    case 'bytes':
      report({ step: 1 });
      report({ step: 2 });
      return { bytes: new Uint8Array([0, 127, 255]), adapter: (await navigator.gpu.requestAdapter()) !== null };
    case 'explained error':
      throw new Error('The data is cut short.\nTo mend: fetch it again.');
    case 'error outside the task':
      setTimeout(() => {
        throw new Error('nobody caught this');
      });
      break;
    case 'rejection outside the task':
      void Promise.reject(new Error('nobody awaited this'));
      break;
    case 'console error':
      console.error('something is wrong');
      break;
    case 'leaving the page':
      location.assign('about:blank');
      break;
    case 'stop':
      report('ready');
      await new Promise<void>((done) => signal.addEventListener('abort', () => done()));
      return 'stopped';
  }
  return await new Promise(() => {}); // Never: the command must end by itself.
});
