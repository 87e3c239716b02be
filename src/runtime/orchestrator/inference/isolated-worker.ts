import { type ChildProcess, fork } from 'node:child_process';
import type { MessagePort } from 'node:worker_threads';
import type { InferenceAnswer, InferenceRequest, InferenceWorkerData, InputMessage } from './messages.js';
import { stillLent } from './messages.js';
import { processArguments } from './worker-url.js';

type Asked = Exclude<InferenceRequest, { kind: 'close' | 'unload' }>;

/**
 * The inference thread of models whose runs may have no end: it passes on what it is asked to a process of its own, since ONNX Runtime
 * cannot be stopped within one. Everything that copies bytes between the processes happens here, and not on the main thread.
 */
export class IsolatedWorker {
  readonly #port: MessagePort;
  readonly #child: ChildProcess;
  readonly #asked = new Map<number, Asked>();

  constructor(port: MessagePort, { isolated, ...data }: InferenceWorkerData) {
    this.#port = port;
    const { path, words, execArgv } = processArguments(isolated ?? '', data);
    this.#child = fork(path, words, {
      execArgv,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.on('message', (answer) => this.#onAnswer(answer as InferenceAnswer));
    this.#child.on('error', (error) => this.#onEnd(error.message));
    this.#child.on('exit', (code, signal) => this.#onEnd(`its process ended with ${signal ?? `code ${code}`}`));
  }

  handle(request: InferenceRequest): void {
    if (request.kind === 'close') {
      this.#child
        .removeAllListeners('exit')
        .on('exit', () => this.#port.close())
        .kill('SIGKILL');
      return;
    }
    if (request.kind === 'unload') {
      this.#child.send(request);
      return;
    }
    this.#asked.set(request.id, request);
    if (request.kind === 'load') {
      this.#child.send(request);
      return;
    }
    const { id, inputs } = request;
    // Copies are nobody's, and are not wanted back from there.
    this.#child.send({ ...request, inputs: inputs.map(asCopy) } satisfies InferenceRequest);
    const buffers = stillLent(inputs);
    if (buffers.length > 0) this.#answer({ kind: 'returned', id, buffers }, buffers);
  }

  #onAnswer(answer: InferenceAnswer): void {
    const asked = this.#asked.get(answer.id);
    this.#asked.delete(answer.id);
    const buffers = asked?.kind === 'load' ? [asked.buffer] : [];
    const outputs = answer.kind === 'ran' ? answer.outputs.flat().flatMap((output) => output?.buffer ?? []) : [];
    this.#answer({ ...answer, buffers }, [...buffers, ...new Set(outputs)]);
  }

  /** Fails all open requests and ends the thread; whoever needs a thread starts another. */
  #onEnd(why: string): void {
    for (const [id, asked] of this.#asked) {
      const buffers = asked.kind === 'load' ? [asked.buffer] : [];
      this.#answer({ kind: 'failed', id, message: `ERR the inference process has failed: ${why}`, buffers }, buffers);
    }
    this.#asked.clear();
    this.#port.close();
  }

  #answer(answer: InferenceAnswer, transfer: ArrayBuffer[]): void {
    this.#port.postMessage(answer, transfer);
  }
}

function asCopy({ dtype, shape, parts }: InputMessage): InputMessage {
  return { dtype, shape, parts: parts.map(({ buffer }) => ({ buffer, missed: false })) };
}
