import * as z from 'zod';
import { type ErrorCode, errorCodes, type Problem, WorkflowError } from '../../diagnostics/index.js';
import { SavedStoreSchema } from '../store/saved-stores.js';

/*
 * What up, launch, down, the supervisor and the stores say to each other: a line of JSON each.
 */

/** A problem on its way between two processes. */
export const WireProblem = z.object({
  code: z.custom<ErrorCode>((code) => typeof code === 'string' && code in errorCodes),
  message: z.string(),
  hint: z.string().optional(),
});
export type WireProblem = z.infer<typeof WireProblem>;

/**
 * One process of a store. `runId` tells it from any other that may have its address later; `restored` are the starts whose keys it has read
 * from its checkpoint.
 */
const StoreNode = z.object({
  host: z.string(),
  addresses: z.array(z.string()),
  pid: z.number(),
  runId: z.string(),
  restored: z.array(SavedStoreSchema).default([]),
});

/**
 * A store's word on its standard output: it answers, with its models loaded, or why it does not; at its end that it saves, and then
 * that it has, or why it could not.
 */
export const StoreWord = z.union([
  z.object({ ready: StoreNode }),
  z.object({ failed: WireProblem, host: z.string() }),
  z.object({ saving: z.object({ host: z.string() }) }),
  z.object({ saved: z.object({ host: z.string() }) }),
  z.object({ notSaved: z.object({ host: z.string(), reason: z.string() }) }),
]);
export type StoreWord = z.infer<typeof StoreWord>;

/** A store as `launch` finds it in run/stores/NAME/address.json. */
export const StoreAddress = z.object({
  store: z.string(),
  /** Identity of this start of the store. */
  id: z.string(),
  /** How often it has been started again in this job. */
  restarts: z.int().nonnegative().default(0),
  job: z.string(),
  jobId: z.string(),
  nodes: z.array(StoreNode),
});
export type StoreAddress = z.infer<typeof StoreAddress>;

/** Requests to the supervisor. */
export const Request = z.discriminatedUnion('op', [
  z.object({
    op: z.literal('start'),
    store: z.string(),
    launch: z.array(z.string()),
    onnxRuntime: z.string().optional(),
  }),
  z.object({ op: z.literal('watch'), stores: z.array(z.string()) }),
  z.object({ op: z.literal('stop') }),
]);
export type Request = z.infer<typeof Request>;

/**
 * Answers of the supervisor: `done` to start and stop, with notices about stores that could not save; `watching`, and perhaps later
 * `failed`, to watch.
 */
export const Reply = z.union([
  z.object({ done: z.literal(true), notices: z.array(z.string()).optional() }),
  z.object({ watching: z.literal(true) }),
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
