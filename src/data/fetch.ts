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
  /** What a person can do where the file is not there. */
  readonly mend?: string;
}

/**
 * fetchBytes: everything at an address.
 *
 * @throws VitrineError `bad-file`: no answer, an answer that is not 2xx, or a page of HTML; `aborted`: the signal said so
 */
export async function fetchBytes(name: string, url: string, options: FetchOptions = {}): Promise<Uint8Array> {
  const { signal, onProgress, method = 'GET', mend = 'check the address (baseUrl) and that the file is served there.' } = options;
  try {
    const response = await fetch(url, { method, signal: signal ?? null });
    if (!response.ok) {
      throw new VitrineError(
        'bad-file',
        `${name}: ${url} answered ${response.status}${response.statusText && ` ${response.statusText}`}.`,
        mend,
        { name, url, status: response.status },
      );
    }
    // Many servers answer what they do not have with their first page, and say 200.
    if (response.headers.get('content-type')?.startsWith('text/html')) {
      throw new VitrineError('bad-file', `${name}: ${url} answered with a page of HTML, not with a file.`, mend, { name, url });
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
