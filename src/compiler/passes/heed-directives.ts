import {
  type BatchDeclaration,
  type DirectiveEdits,
  defined,
  type EntityDeclaration,
  type RequiresDeclaration,
  type Site,
} from '../../ir/index.js';
import { editDirectives, sameOption } from '../../targets/directives.js';
import type { Target } from '../../targets/target.js';
import type { Adds, Reads } from './compilation.js';

/**
 * Reckons with directives that say what `.batch()` has words for: queue, account and walltime that an edit of the site or the user sets count
 * as if they had been said there, since these are what the scheduler reads.
 */
export function heedDirectives({
  experiment,
  site,
  target,
}: Reads<'experiment' | 'site' | 'target'>): Adds<'experiment'> {
  if (target.capabilities.oneNode) return { experiment };
  const heed = (batch: BatchDeclaration | undefined): { readonly batch?: BatchDeclaration } => {
    const said = saidBy(target, site.directives, batch?.directives);
    if (Object.keys(said).length === 0) return defined({ batch });
    return { batch: { ...(batch ?? { kind: 'batch' }), ...said } };
  };
  const home = heed(experiment.batch);
  const entities = experiment.entities.map((entity): EntityDeclaration => {
    const { batch } = entity.batch === undefined ? home : heed(entity.batch);
    const own = entity.batch === undefined ? {} : defined({ batch });
    const requires = requiring(entity.requires, saidBy(target, site.directives, batch?.directives));
    return { ...entity, ...own, ...defined({ requires }) };
  });
  return { experiment: { ...experiment, ...home, entities } };
}

/** Number of nodes that an edit of a job's directives sets. */
export function nodesSaid(
  target: Target,
  { directives }: Site,
  batch: BatchDeclaration | undefined,
): number | undefined {
  const set = editDirectives(target, [[]], directives, batch?.directives).flat();
  return set.map((one) => target.nodesOf?.(one)).findLast((nodes) => nodes !== undefined);
}

/** An entity's own wishes, as far as directives do not say otherwise for all nodes of the job. */
function requiring(
  requires: RequiresDeclaration | undefined,
  { queue, constraint }: Partial<BatchDeclaration>,
): RequiresDeclaration | undefined {
  if (requires === undefined) return undefined;
  return {
    ...requires,
    ...(requires.queue === undefined ? {} : defined({ queue })),
    ...(requires.constraint === undefined ? {} : defined({ constraint })),
  };
}

/** The words of `.batch()` that edits of directives say. */
function saidBy(target: Target, ...edits: readonly (DirectiveEdits | undefined)[]): Partial<BatchDeclaration> {
  const set = editDirectives(target, [[]], ...edits).flat();
  const words = Object.entries(target.wordFlags ?? {}).flatMap(([word, flag]) => {
    const value = set.findLast((one) => sameOption(target, one.flag, flag))?.value;
    return value === undefined ? [] : [[word, String(value)] as const];
  });
  // As in a script, which has a line of another program at its top.
  const script = ['#!', ...set.map((one) => `${target.sentinel} ${target.formatDirective(one)}`)].join('\n');
  const walltimeSeconds = target.queries?.walltimeOf(script);
  return { ...Object.fromEntries(words), ...defined({ walltimeSeconds }) };
}
