import * as z from 'zod';
import { type ErrorCode, errorCodes, type Problem, WorkflowError } from '../../diagnostics/index.js';
import { StoreNode } from '../store-files/store-address.js';
import { ClusterChange, ShardPlace } from './cluster-layout.js';

/*
 * Messages between up, launch, down, the supervisor and the stores: a line of JSON each.
 */

/** A problem on its way between two processes. */
export const WireProblem = z.object({
  code: z.custom<ErrorCode>((code) => typeof code === 'string' && code in errorCodes),
  message: z.string(),
  hint: z.string().optional(),
});
export type WireProblem = z.infer<typeof WireProblem>;

/**
 * A store's word to its supervisor: where the servers of a cluster may be that it is to start on its node, and what becomes of them; it answers, with its models loaded, or why it does not; at its end that it saves, and then that it has, or
 * why it could not; last that it has ended in order.
 */
export const StoreWord = z.union([
  z.object({ offers: z.array(ShardPlace) }),
  z.object({ change: ClusterChange }),
  z.object({ ready: StoreNode }),
  z.object({ failed: WireProblem, host: z.string() }),
  z.object({ saving: z.object({ host: z.string() }) }),
  z.object({ saved: z.object({ host: z.string() }) }),
  z.object({ notSaved: z.object({ host: z.string(), reason: z.string() }) }),
  z.object({ ended: z.object({ host: z.string() }) }),
]);
export type StoreWord = z.infer<typeof StoreWord>;

/** Requests to the supervisor. */
export const Request = z.discriminatedUnion('op', [
  z.object({
    op: z.literal('start'),
    store: z.string(),
    launch: z.array(z.string()),
    onnxRuntime: z.string().optional(),
    python: z.string().optional(),
    /** Environment of the store: that of its own `up`, after the lines of its setup. */
    env: z.record(z.string(), z.string()),
  }),
  z.object({ op: z.literal('watch'), stores: z.array(z.string()) }),
  /** Asks whether a key exists in a store, on whichever of its nodes. */
  z.object({ op: z.literal('exists'), store: z.string(), key: z.string() }),
  z.object({ op: z.literal('stop') }),
]);
export type Request = z.infer<typeof Request>;

/**
 * Answers of the supervisor: `done` to start and stop, with notices about stores that could not save; `watching`, and perhaps later
 * `failed`, to watch; `exists` to the question for a key.
 */
export const Reply = z.union([
  z.object({ done: z.literal(true), notices: z.array(z.string()).optional() }),
  z.object({ watching: z.literal(true) }),
  z.object({ exists: z.boolean() }),
  z.object({ failed: WireProblem }),
]);
export type Reply = z.infer<typeof Reply>;

/** The first problem of an error, ready to be sent. */
export function toWire(error: unknown, code: ErrorCode): WireProblem {
  const problem: Pick<Problem, 'code' | 'message' | 'hint'> =
    error instanceof WorkflowError
      ? error.problems[0]
      : { code, message: error instanceof Error ? error.message : String(error) };
  return {
    code: problem.code,
    message: problem.message,
    ...(problem.hint === undefined ? {} : { hint: problem.hint }),
  };
}

/** A received problem as an error to throw. */
export function fromWire(problem: WireProblem): WorkflowError {
  return new WorkflowError({ code: problem.code, message: problem.message, hint: problem.hint });
}
