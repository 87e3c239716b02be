import { type DagStep, runDag } from '../ai/run-dag.js';
import { InferenceError } from '../inference/index.js';
import { type Reply, SimpleString, unpin } from '../resp/reply.js';
import type { AiCommand, OnError } from './command.js';
import { type DagCommandName, type DagKind, type ParsedStep, parseDag } from './dag-parse.js';
import { modelExecute } from './model-execute.js';
import { modelRun } from './model-run.js';
import { refusalOf } from './refusal.js';
import { scriptExecuteInDag, scriptRun } from './script-run.js';
import { tensorGet } from './tensor-get.js';
import { checkTensor, placeTensor, tensorSet } from './tensor-set.js';
import { latin1 } from './words.js';

const commands: Readonly<Record<DagCommandName, AiCommand>> = {
  'AI.TENSORSET': tensorSet,
  'AI.TENSORGET': tensorGet,
  'AI.MODELEXECUTE': modelExecute,
  'AI.MODELRUN': modelRun,
  'AI.SCRIPTEXECUTE': scriptExecuteInDag,
  'AI.SCRIPTRUN': scriptRun,
};

const notAvailable = new SimpleString('NA');
const timedOut = new SimpleString('TIMEDOUT');

function dag(kind: DagKind): AiCommand {
  return {
    name: kind.name.toLowerCase(),
    arity: -1,
    flags: kind.readOnly ? ['readonly'] : ['write', 'denyoom'],
    keys: [0, 0, 0],
    inTransaction: 'execution',
    keepsWords: true,
    async run(context, words) {
      const { load, persist, timeoutMs, steps } = parseDag(kind, words, context);
      const results = await runDag<Reply>(context, {
        load,
        persist,
        timeoutMs,
        steps: steps.map((step) => runnable(step, context.onError)),
        bytes: words.reduce((sum, word) => sum + word.length, 0),
        drop: unpin,
      });
      return results === undefined ? timedOut : results.map((reply) => reply ?? notAvailable);
    },
  };
}

/** The step as its command runs it. */
function runnable({ name, words, inputs, tensor }: ParsedStep, onError: OnError | undefined): DagStep<Reply> {
  const command = commands[name];
  return {
    ...(tensor !== undefined && { prepare: () => checkTensor(words, tensor) }),
    isSkipped({ tensors }) {
      const missing = name === 'AI.TENSORGET' && inputs.some((key) => tensors.get(key) === undefined);
      return missing || !name.startsWith('AI.TENSOR');
    },
    async run(context, timeoutMs) {
      try {
        const done =
          tensor === undefined
            ? await command.run(context, withTimeout(name, words, timeoutMs))
            : placeTensor(context, latin1(words[1]), tensor);
        return { kind: 'done', result: done };
      } catch (error) {
        const result = refusalOf(error);
        if (result === undefined) throw error;
        if (error instanceof InferenceError && error.problem === 'timed-out') return { kind: 'timed-out', result };
        await onError?.(words, result);
        return { kind: 'failed', result };
      }
    },
  };
}

/** A run of a model or script may wait for its turn and for company as long as the whole may take. */
function withTimeout(name: string, words: readonly Buffer[], timeoutMs: number | undefined): Buffer[] {
  const [command, key, ...rest] = words;
  if (timeoutMs === undefined || command === undefined || key === undefined) return [...words];
  const timeout = [Buffer.from('TIMEOUT'), Buffer.from(String(timeoutMs))];
  if (name === 'AI.MODELEXECUTE' || name === 'AI.SCRIPTEXECUTE') return [...words, ...timeout];
  if (name === 'AI.MODELRUN') return [command, key, ...timeout, ...rest];
  return name === 'AI.SCRIPTRUN' ? [command, key, ...rest.slice(0, 1), ...timeout, ...rest.slice(1)] : [...words];
}

/** `AI.DAGEXECUTE`, `AI.DAGEXECUTE_RO`, and the deprecated `AI.DAGRUN`, `AI.DAGRUN_RO`. */
export const dagCommands: readonly AiCommand[] = [
  dag({ name: 'AI.DAGEXECUTE', deprecated: false, readOnly: false }),
  dag({ name: 'AI.DAGEXECUTE_RO', deprecated: false, readOnly: true }),
  dag({ name: 'AI.DAGRUN', deprecated: true, readOnly: false }),
  dag({ name: 'AI.DAGRUN_RO', deprecated: true, readOnly: true }),
];
