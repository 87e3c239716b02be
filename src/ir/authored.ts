import type { Problem } from '../diagnostics/index.js';
import type { CommandDeclaration, ExperimentDeclaration } from './declaration.js';

/*
 * How a builder's record is read. The symbols come from the global registry: a workflow may have been built by another copy
 * of the package than the one that compiles it.
 */

/** Key under which an experiment's builder keeps its record. */
export const authoredExperiment: unique symbol = Symbol.for('simwright.experiment.1');

/** Key under which a command keeps its record. */
export const authoredCommand: unique symbol = Symbol.for('simwright.command.1');

/** A record, and what is wrong with single values in it: builders gather problems, so that all are shown at once. */
export interface Authored<Declaration> {
  readonly declaration: Declaration;
  readonly problems: readonly Problem[];
}

/** Anything that holds an experiment's record. */
export interface AuthoredExperiment {
  readonly [authoredExperiment]: Authored<ExperimentDeclaration>;
}

/** Anything that holds a command's record. */
export interface AuthoredCommand {
  readonly [authoredCommand]: Authored<CommandDeclaration>;
}
