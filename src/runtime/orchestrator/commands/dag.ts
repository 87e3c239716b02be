import { performance } from 'node:perf_hooks';
import { ErrorReply, PinnedBytes, type Reply, SimpleString } from '../resp/reply.js';
import { Overlay } from '../store/overlay.js';
import type { Command, CommandContext } from './command.js';
import { type DagKind, type DagRequest, type DagStep, parseDag } from './dag-parse.js';
import { modelExecute } from './model-execute.js';
import { modelRun } from './model-run.js';
import { refusalOf } from './refusal.js';
import { AbandonedWork } from './running-work.js';
import { scriptExecute, scriptRun } from './script-run.js';
import { tensorGet } from './tensor-get.js';
import { checkTensor, placeTensor, tensorSet } from './tensor-set.js';
import { latin1 } from './words.js';

const steps: Readonly<Record<string, Command>> = {
  'AI.TENSORSET': tensorSet,
  'AI.TENSORGET': tensorGet,
  'AI.MODELEXECUTE': modelExecute,
  'AI.MODELRUN': modelRun,
  'AI.SCRIPTEXECUTE': scriptExecute,
  'AI.SCRIPTRUN': scriptRun,
};

const notAvailable = new SimpleString('NA');
const timedOut = new SimpleString('TIMEDOUT');

function dag(kind: DagKind): Command {
  return {
    name: kind.name.toLowerCase(),
    arity: -1,
    flags: kind.readOnly ? ['readonly'] : ['write', 'denyoom'],
    keys: [0, 0, 0],
    inTransaction: 'execution',
    keepsWords: true,
    run: (context, words) => {
      const { store, server } = context;
      return runDag(context, parseDag(kind, words, { store, limitBytes: server.limits.maxBulkBytes }));
    },
  };
}

/** Runs the steps in order on tensors of their own; one entry a step. */
async function runDag(context: CommandContext, request: DagRequest): Promise<Reply> {
  const deadline = request.timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + request.timeoutMs;
  const tensors = new Overlay(context.store);
  const replies: Reply[] = [];
  let failed = false;
  try {
    for (const { key, tensor } of request.load) tensors.borrow(key, tensor);
    for (const { words, tensor } of request.steps) if (tensor !== undefined) await checkTensor(words, tensor);
    for (const step of request.steps) {
      if (performance.now() > deadline) {
        for (const reply of replies) unpin(reply);
        return timedOut;
      }
      const reply = await runStep(context, tensors, step, failed);
      if (reply instanceof ErrorReply) {
        failed = true;
        await context.onError?.(step.words, reply);
      }
      replies.push(reply);
    }
    if (!failed) await tensors.persist(request.persist);
    return replies;
  } finally {
    tensors.close();
  }
}

/** Lets go of the bytes of a reply that is not sent. */
function unpin(reply: Reply): void {
  if (reply instanceof PinnedBytes) reply.release();
  else if (Array.isArray(reply)) for (const element of reply as readonly Reply[]) unpin(element);
}

async function runStep(
  { inference, server, client, blocked }: CommandContext,
  store: Overlay,
  { name, words, inputs, tensor }: DagStep,
  failed: boolean,
): Promise<Reply> {
  const command = steps[name];
  if (command === undefined) return notAvailable;
  const missing = name === 'AI.TENSORGET' && inputs.some((key) => store.get(key) === undefined);
  if (failed && (missing || !name.startsWith('AI.TENSOR'))) return notAvailable;
  // Results live in here only: nobody can wait for them after the connection has gone.
  const own = { client: { ...client, work: undefined }, abandoned: new AbandonedWork() };
  const context = { store, inference, server, blocked, ...own };
  try {
    return tensor === undefined
      ? await command.run(context, [...words])
      : placeTensor(context, latin1(words[1]), tensor);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal !== undefined) return refusal;
    throw error;
  }
}

/** `AI.DAGEXECUTE`, `AI.DAGEXECUTE_RO`, and the deprecated `AI.DAGRUN`, `AI.DAGRUN_RO`. */
export const dagCommands: readonly Command[] = [
  dag({ name: 'AI.DAGEXECUTE', deprecated: false, readOnly: false }),
  dag({ name: 'AI.DAGEXECUTE_RO', deprecated: false, readOnly: true }),
  dag({ name: 'AI.DAGRUN', deprecated: true, readOnly: false }),
  dag({ name: 'AI.DAGRUN_RO', deprecated: true, readOnly: true }),
];
