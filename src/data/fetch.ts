import { VitrineError } from '../engine/errors.ts';

/** How much of something has been loaded. */
export interface LoadProgress {
  readonly loadedBytes: number;
  /** Unknown (undefined) where the server does not say. */
  readonly totalBytes: number | undefined;
}

export interface LoadOptions {
  /** Stops the loading. */
  readonly signal?: AbortSignal | undefined;
  /** Called as bytes arrive. */
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}

interface FetchOptions extends LoadOptions {
  readonly method?: 'GET' | 'POST';
}

/**
 * fetchBytes: everything at an address.
 *
 * @throws VitrineError `bad-file`: no answer, or an answer that is not 2xx; `aborted`: the signal said so
 */
export async function fetchBytes(name: string, url: string, options: FetchOptions = {}): Promise<Uint8Array> {
  const { signal, onProgress, method = 'GET' } = options;
  try {
    const response = await fetch(url, { method, signal: signal ?? null });
    if (!response.ok) {
      throw new VitrineError(
        'bad-file',
        `${name}: ${url} answered ${response.status}${response.statusText && ` ${response.statusText}`}.`,
        'check the address (baseUrl) and that the file is served there.',
        { name, url, status: response.status },
      );
    }
    if (!onProgress || !response.body) return new Uint8Array(await response.arrayBuffer());
    return await collect(response, onProgress);
  } catch (cause) {
    if (cause instanceof VitrineError) throw cause;
    if (signal?.aborted) {
      throw new VitrineError('aborted', `${name}: loading was stopped.`, 'load again when the data is wanted.', { name, url });
    }
    throw new VitrineError(
      'bad-file',
      `${name}: ${url} could not be fetched (${cause instanceof Error ? cause.message : cause}).`,
      'check the network and the address (baseUrl); another origin must allow this page (CORS).',
      { name, url, cause },
    );
  }
}

async function collect(response: Response, onProgress: (progress: LoadProgress) => void): Promise<Uint8Array> {
  // With a Content-Encoding the length is that of the packed bytes, and says nothing about what arrives here.
  const length = response.headers.get('content-encoding') ? null : response.headers.get('content-length');
  const totalBytes = length === null ? undefined : Number(length);
  const chunks: Uint8Array[] = [];
  let loadedBytes = 0;
  const reader = response.body!.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value);
    loadedBytes += next.value.length;
    onProgress({ loadedBytes, totalBytes });
  }
  const bytes = new Uint8Array(loadedBytes);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
