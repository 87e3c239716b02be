import { performance } from 'node:perf_hooks';
import { ErrorReply, PinnedBytes, type Reply, SimpleString } from '../resp/reply.js';
import { Overlay } from '../store/overlay.js';
import type { Command, CommandContext } from './command.js';
import { type DagKind, type DagRequest, parseDag } from './dag-parse.js';
import { modelExecute } from './model-execute.js';
import { modelRun } from './model-run.js';
import { refusalOf } from './refusal.js';
import { AbandonedWork } from './running-work.js';
import { scriptExecute, scriptRun } from './script-run.js';
import { tensorGet } from './tensor-get.js';
import { tensorSet } from './tensor-set.js';
import { keyword, latin1 } from './words.js';

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
    run: (context, words) => runDag(context, parseDag(kind, words, context.store)),
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
    for (const step of request.steps) {
      if (performance.now() > deadline) {
        for (const reply of replies) unpin(reply);
        return timedOut;
      }
      const reply = await runStep(context, tensors, withTimeout(step, deadline), failed);
      if (reply instanceof ErrorReply && reply.text.startsWith('TIMEDOUT ')) {
        for (const reply of replies) unpin(reply);
        return timedOut;
      }
      if (reply instanceof ErrorReply) failed = true;
      replies.push(reply);
    }
    if (!failed) await tensors.persist(request.persist);
    return replies;
  } finally {
    tensors.close();
  }
}

/** A run of a model may wait for its turn and for company as long as the whole may take. */
function withTimeout(step: readonly Buffer[], deadline: number): readonly Buffer[] {
  const [name, key, ...rest] = step;
  if (deadline === Number.POSITIVE_INFINITY || name === undefined || key === undefined) return step;
  const timeout = [Buffer.from('TIMEOUT'), Buffer.from(String(Math.max(1, Math.ceil(deadline - performance.now()))))];
  if (keyword(name) === 'AI.MODELEXECUTE') return [...step, ...timeout];
  return keyword(name) === 'AI.MODELRUN' ? [name, key, ...timeout, ...rest] : step;
}

/** Lets go of the bytes of a reply that is not sent. */
function unpin(reply: Reply): void {
  if (reply instanceof PinnedBytes) reply.release();
  else if (Array.isArray(reply)) for (const element of reply as readonly Reply[]) unpin(element);
}

async function runStep(
  { inference, server, client, blocked }: CommandContext,
  store: Overlay,
  step: readonly Buffer[],
  failed: boolean,
): Promise<Reply> {
  const name = keyword(step[0]);
  const command = steps[name];
  if (command === undefined) return notAvailable;
  const missing = name === 'AI.TENSORGET' && store.get(latin1(step[1])) === undefined;
  if (failed && (missing || !name.startsWith('AI.TENSOR'))) return notAvailable;
  const enough = command.arity > 0 ? step.length === command.arity : step.length >= -command.arity;
  if (!enough) return new ErrorReply(`ERR wrong number of arguments for '${command.name}' command`);
  // Results live in here only: nobody can wait for them after the connection has gone.
  const context = {
    store,
    inference,
    server,
    client: { ...client, work: undefined },
    abandoned: new AbandonedWork(),
    blocked,
  };
  try {
    return await command.run(context, [...step]);
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
