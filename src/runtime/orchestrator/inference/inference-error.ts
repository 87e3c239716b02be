/** Kinds of reasons for which a model cannot be loaded or run. */
export type InferenceProblem =
  /** The framework refuses the model or fails in a run; the message is its own. */
  | 'model'
  /** Nothing here runs models of this kind. */
  | 'backend'
  | 'device'
  /** The framework has nothing that runs models on GPUs. */
  | 'no-gpu'
  /** Outputs of a batch cannot be cut into those of its requests. */
  | 'batch-size'
  | 'memory'
  /** The run was ended because of its length. */
  | 'stopped'
  /** The run has not begun: what should have done it was given up. */
  | 'not-begun'
  /** The request has waited longer than it wanted to. */
  | 'timed-out'
  /** The thread or process that loads and runs has failed. */
  | 'failed';

/** Reason for which a model cannot be loaded or run. Whoever answers clients words it for them. */
export class InferenceError extends Error {
  override readonly name = 'InferenceError';
  readonly problem: InferenceProblem;

  constructor(problem: InferenceProblem, message: string) {
    super(message.replace(/[\r\n]+/g, ' '));
    this.problem = problem;
  }
}
