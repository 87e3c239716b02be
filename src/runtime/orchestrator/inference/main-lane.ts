import type { Backend } from './backend.js';
import { cutOutputs } from './batching.js';
import { copyAll } from './gather-inputs.js';
import type { ModelInput, OutputMessage, SessionSettings } from './messages.js';
import type { RunCost } from './run-cost.js';
import { RunQueue, type RunRequest } from './run-queue.js';
import type { RunResult } from './runner.js';
import type { ByteSource } from './tensor.js';

/** Size of models in bytes up to which they may be loaded on the main thread too. */
export const laneModelBytes = 4 * 1024 * 1024;

/** A model that may run here. */
export interface LaneModel {
  readonly id: number;
  /** The main thread's. */
  readonly backend: Backend;
  readonly bytes: ByteSource;
  readonly settings: SessionSettings;
  readonly cost: RunCost;
  readonly unwanted: boolean;
}

/** A request for a model that may run here. */
export type LaneRequest = RunRequest & { readonly model: LaneModel };

/** Takes the requests that cannot be run here after all. */
export type Elsewhere = (request: LaneRequest) => void;

/**
 * Runs cheap models on the calling thread, one run a turn of its event loop: handing them to another thread would
 * cost many times what they do.
 */
export class MainLane {
  readonly #elsewhere: Elsewhere;
  readonly #onRun: () => void;
  readonly #loaded = new Set<number>();
  readonly #loading = new Set<number>();
  readonly #failed = new Set<number>();
  readonly #queue = new RunQueue();
  #running = false;

  constructor(elsewhere: Elsewhere, onRun: () => void) {
    this.#elsewhere = elsewhere;
    this.#onRun = onRun;
  }

  has(model: number): boolean {
    return this.#loaded.has(model);
  }

  /** Begins to load a model, unless that has been tried. */
  prepare(model: LaneModel): void {
    if (this.#loaded.has(model.id) || this.#loading.has(model.id) || this.#failed.has(model.id)) return;
    this.#loading.add(model.id);
    this.#load(model).catch(() => {
      this.#loading.delete(model.id);
      this.#failed.add(model.id);
    });
  }

  run(request: LaneRequest): void {
    this.#queue.push(request);
    if (!this.#running) this.#next();
  }

  unload({ id, backend }: LaneModel): void {
    this.#loading.delete(id);
    this.#failed.delete(id);
    if (this.#loaded.delete(id)) void backend.unload(id);
  }

  async #load({ id, backend, bytes, settings }: LaneModel): Promise<void> {
    const here = bytes.peek();
    if (here === undefined) {
      this.#loading.delete(id);
      return;
    }
    try {
      // A pool of threads within operators would cost more than it gives a run this short.
      await backend.load(id, here.bytes, { ...settings, intraOpThreads: 1 });
      if (this.#loading.delete(id)) this.#loaded.add(id);
      else await backend.unload(id);
    } finally {
      here.release();
    }
  }

  /** Runs what is next, and so on until nothing is left. */
  #next(): void {
    for (;;) {
      const requests = this.#queue.take() as LaneRequest[] | undefined;
      this.#running = requests !== undefined;
      if (requests === undefined) return;
      const { model } = requests[0] as LaneRequest;
      const inputs = this.#loaded.has(model.id) && model.cost.isWelcome ? inputsOf(requests) : undefined;
      if (inputs !== undefined) {
        void this.#run(model, requests, inputs);
        return;
      }
      for (const request of requests) this.#elsewhere(request);
    }
  }

  async #run({ id, backend, cost }: LaneModel, requests: readonly LaneRequest[], inputs: HeldInputs): Promise<void> {
    try {
      const { outputs, micros } = await backend.run(id, inputs.inputs, requests[0]?.call);
      cost.measuredHere(micros, requests[0]?.bytes ?? 0, requests.length);
      this.#onRun();
      answer(requests, outputs, micros);
    } catch (error) {
      for (const { reject } of requests) reject(error instanceof Error ? error : new Error(String(error)));
    } finally {
      inputs.release();
    }
    this.#next();
  }
}

/** Inputs where they lie, kept there until released. */
interface HeldInputs {
  readonly inputs: readonly ModelInput[];
  release(): void;
}

function answer(requests: readonly RunRequest[], outputs: readonly (OutputMessage | null)[], micros: number): void {
  if (requests.length === 1) {
    requests[0]?.resolve(resultOf(outputs, micros));
    return;
  }
  const cut = cutOutputs(
    outputs,
    requests.map(({ shape }) => shape?.size ?? 0),
  );
  for (const [index, request] of requests.entries()) request.resolve(resultOf(cut[index] ?? [], micros));
}

function resultOf(outputs: readonly (OutputMessage | null)[], micros: number): RunResult {
  return { outputs: outputs.map((output) => output ?? undefined), micros };
}

/** The inputs in place, or joined if they are several requests'; undefined if they are not all here. */
function inputsOf(requests: readonly RunRequest[]): HeldInputs | undefined {
  if (requests.length > 1) {
    const gathered = copyAll(requests.map(({ inputs }) => inputs));
    const inputs = gathered?.inputs.map(({ dtype, shape, parts }) => ({
      dtype,
      shape,
      buffer: parts[0]?.buffer ?? new ArrayBuffer(0),
    }));
    return inputs && { inputs, release: () => undefined };
  }
  const inputs: ModelInput[] = [];
  const releases: (() => void)[] = [];
  for (const { dtype, shape, bytes } of requests[0]?.inputs ?? []) {
    const here = bytes.peek();
    if (here === undefined) {
      for (const release of releases) release();
      return undefined;
    }
    releases.push(() => here.release());
    inputs.push({ dtype, shape, buffer: here.bytes.buffer as ArrayBuffer });
  }
  return {
    inputs,
    release: () => {
      for (const release of releases) release();
    },
  };
}
