/** The host's side of a worker. Whatever a contender does (throws, hangs, runs out of memory), a call settles and the worker can be ended. */

import type { WorkerReply, WorkerRequest, WorkerTasks } from './worker.ts';

type Task = keyof WorkerTasks;
type Result<Name extends Task> = Awaited<ReturnType<WorkerTasks[Name]>>;

export interface Station {
  /** @throws Error what the worker threw, or that it took longer than the time limit; the worker has then been ended */
  call<Name extends Task>(task: Name, ...args: Parameters<WorkerTasks[Name]>): Promise<Result<Name>>;
  close(): void;
}

/** No single task of a workload takes so long on any adapter worth measuring. */
const TIME_LIMIT_MILLISECONDS = 300_000;

export function openStation(signal?: AbortSignal): Station {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const waiting = new Map<
    number,
    { resolve: (value: never) => void; reject: (error: Error) => void; timer: ReturnType<typeof setTimeout> }
  >();
  let next = 0;
  let ended: Error | undefined;
  const close = (error: Error = new Error('The worker was closed.')): void => {
    if (ended) return;
    ended = error;
    worker.terminate();
    signal?.removeEventListener('abort', stop);
    for (const { reject, timer } of waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    waiting.clear();
  };
  const stop = (): void => close(new DOMException('The benchmark was stopped.', 'AbortError'));
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    close(new Error(event.message || 'The worker could not be loaded.'));
  });
  worker.addEventListener('message', ({ data }: MessageEvent<WorkerReply>) => {
    const pending = waiting.get(data.id);
    if (!pending) return;
    waiting.delete(data.id);
    clearTimeout(pending.timer);
    if ('value' in data) pending.resolve(data.value as never);
    else pending.reject(Object.assign(new Error(data.error.message), { name: data.error.name }));
  });
  if (signal?.aborted) stop();
  else signal?.addEventListener('abort', stop, { once: true });
  return {
    call: (task, ...args) =>
      new Promise((resolve, reject) => {
        if (ended) {
          reject(ended);
          return;
        }
        const id = next++;
        const timer = setTimeout(
          () => close(new Error(`${task} took longer than ${TIME_LIMIT_MILLISECONDS / 60_000} minutes.`)),
          TIME_LIMIT_MILLISECONDS,
        );
        waiting.set(id, { resolve, reject, timer });
        worker.postMessage({ id, task, args } satisfies WorkerRequest);
      }),
    close: () => close(),
  };
}
