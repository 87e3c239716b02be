import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AbandonedWork } from '../../../src/runtime/orchestrator/ai/abandoned-work.js';
import { WrongTypeError } from '../../../src/runtime/orchestrator/ai/errors.js';
import type { TensorStore } from '../../../src/runtime/orchestrator/ai/tensor-store.js';
import { type AiValue, newStatistics, type TensorValue } from '../../../src/runtime/orchestrator/ai/values.js';
import { LendableBytes } from '../../../src/runtime/orchestrator/bytes/lendable-bytes.js';
import type { AiCommand } from '../../../src/runtime/orchestrator/commands/command.js';
import { dagCommands } from '../../../src/runtime/orchestrator/commands/dag.js';
import { modelExecute } from '../../../src/runtime/orchestrator/commands/model-execute.js';
import { modelRun } from '../../../src/runtime/orchestrator/commands/model-run.js';
import { refusalOf } from '../../../src/runtime/orchestrator/commands/refusal.js';
import { Inference, type LoadedModel } from '../../../src/runtime/orchestrator/inference/index.js';
import { MemoryBudget } from '../../../src/runtime/orchestrator/memory/memory-budget.js';
import { ErrorReply } from '../../../src/runtime/orchestrator/resp/reply.js';
import { modelFile, onnxRuntime } from './support/start.js';

/** Values that came with a request from a store elsewhere; what is written is to go back there. */
class RequestValues implements TensorStore {
  readonly writes = new Map<string, AiValue>();
  readonly #values: ReadonlyMap<string, AiValue>;

  constructor(values: ReadonlyMap<string, AiValue>) {
    this.#values = values;
  }

  read<Kind extends AiValue['kind']>(key: string, kind: Kind) {
    const value = this.get(key);
    if (value !== undefined && value.kind !== kind) throw new WrongTypeError();
    return value as Extract<AiValue, { kind: Kind }> | undefined;
  }

  get(key: string): AiValue | undefined {
    return this.writes.get(key) ?? this.#values.get(key);
  }

  set(key: string, value: AiValue): void {
    this.writes.set(key, value);
  }

  delete(): boolean {
    throw new Error('these requests delete nothing');
  }
}

describe.skipIf(onnxRuntime === undefined)('the AI layer beside a store of another kind', () => {
  let inference: Inference;
  let loaded: LoadedModel;
  const modelBytes = new LendableBytes(Buffer.from(new Uint8Array(modelFile('double')).buffer));
  const memory = new MemoryBudget({
    limitBytes: () => 0,
    usedBytes: () => 0,
    evicts: () => false,
    makeRoom: () => true,
  });

  beforeAll(async () => {
    inference = new Inference({ onnxRuntime });
    loaded = await inference.load({ backend: 'ONNX', device: 'CPU', bytes: modelBytes });
  });
  afterAll(() => inference.close());

  const tensor = (...values: number[]): TensorValue => ({
    kind: 'tensor',
    dtype: 'FLOAT',
    shape: [1, values.length],
    bytes: new LendableBytes(Buffer.from(Float32Array.from(values).buffer)),
  });

  /** Answers a request as a worker would that is sent the words and the values at their keys. */
  async function answer(command: AiCommand | undefined, words: string) {
    const batch = { batchSize: 0, minBatchSize: 0, minBatchTimeoutMs: 0 };
    const common = { kind: 'model', backend: 'ONNX', device: 'CPU', tag: Buffer.alloc(0), batch } as const;
    const model = { ...common, bytes: modelBytes, loaded, statistics: newStatistics() };
    const tensors = new RequestValues(
      new Map<string, AiValue>([
        ['m', model],
        ['x', tensor(1, 2)],
      ]),
    );
    const server = { memory, limits: { maxBulkBytes: 1024 } };
    const context = { tensors, inference, server, client: { work: undefined }, abandoned: new AbandonedWork() };
    const argv = words.split(' ').map((word) => Buffer.from(word));
    let reply: unknown;
    try {
      reply = await command?.run(context, argv);
    } catch (error) {
      reply = refusalOf(error);
      if (reply === undefined) throw error;
    }
    const writes = [...tensors.writes].map(([key, value]) => [
      key,
      value.kind === 'tensor' ? [...new Float32Array(value.bytes.here.buffer as ArrayBuffer)] : value.kind,
    ]);
    const text = reply instanceof ErrorReply ? reply.text : JSON.stringify(reply);
    return { text, writes, statistics: model.statistics };
  }

  test('runs models with the very code of the embedded store', async () => {
    for (const [command, words] of [
      [modelExecute, 'AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 1 y'],
      [modelRun, 'AI.MODELRUN m INPUTS x OUTPUTS y'],
    ] as const) {
      const { writes, statistics } = await answer(command, words);
      expect(writes).toEqual([['y', [2, 4]]]);
      expect(statistics).toMatchObject({ calls: 1, errors: 0, samples: 1 });
    }
  });

  test('runs DAGs, and hands on what is to be persisted only', async () => {
    const dag = dagCommands.find(({ name }) => name === 'ai.dagexecute');
    const run = (input: string, output: string) => `|> AI.MODELEXECUTE m INPUTS 1 ${input} OUTPUTS 1 ${output}`;
    const words = `AI.DAGEXECUTE LOAD 1 x PERSIST 1 z ${run('x', 'y')} ${run('y', 'z')} |> AI.TENSORGET z VALUES`;
    const { text, writes } = await answer(dag, words);
    expect(writes).toEqual([['z', [4, 8]]]);
    expect(text).toContain('"4"');
  });

  test('refuses with the texts of the protocol', async () => {
    const refused = async (words: string) => (await answer(modelExecute, words)).text;
    expect(await refused('AI.MODELEXECUTE none INPUTS 1 x OUTPUTS 1 y')).toBe('ERR model key is empty');
    expect(await refused('AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 1 m')).toMatch(/^WRONGTYPE /);
    expect(await refused('AI.MODELEXECUTE x INPUTS 1 x OUTPUTS 1 y')).toMatch(/^WRONGTYPE /);
  });
});
