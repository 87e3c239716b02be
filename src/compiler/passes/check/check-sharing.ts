import { type Problems, suggestion } from '../../../diagnostics/index.js';
import { applicationsOf, byKind, type ExperimentDeclaration } from '../../../ir/index.js';
import type { Reads } from '../compilation.js';
import { entityNamed } from '../lookup/references.js';
import { isApart, namedBy, requirement, sharedWith } from '../lookup/shared-nodes.js';

/** Nodes are shared with an existing entity of the same job, and not in a circle. */
export function checkSharing({ experiment }: Reads<'experiment'>, problems: Problems): void {
  checkApart(experiment, problems);
  for (const application of applicationsOf(experiment)) {
    const { sharesNodesWith: shares, name } = application;
    if (shares === undefined) continue;
    const call = `.sharesNodesWith('${shares.name}')`;
    const other = entityNamed(experiment, shares.name);
    if (other === undefined) {
      const names = experiment.entities.map((entity) => entity.name).filter((one) => one !== name);
      const message = `${call}: there is no entity of that name`;
      problems.error('REF1001', message, shares.at, suggestion(shares.name, names));
      continue;
    }
    const chain = sharedWith(experiment, application);
    const last = chain.at(-1);
    if (last === undefined || namedBy(last) !== undefined) {
      const circle = [name, ...chain.map((one) => one.name), name].map((one) => `'${one}'`).join(' shares nodes with ');
      problems.error(
        'PLAN1006',
        `none of them has nodes of its own: ${circle}`,
        shares.at,
        'take out one of the calls',
      );
      continue;
    }
    const refuse = (message: string, hint: string) =>
      problems.error('PLAN1006', `${call}: ${message}`, shares.at, hint);
    if (application.batch !== undefined) {
      refuse(
        `'${name}' is a job of its own, so it has other nodes`,
        "leave out its .batch(): it runs in the other's job",
      );
    } else if (last.batch !== undefined && byKind(last, { application: () => false, orchestrator: () => true })) {
      refuse(`store '${last.name}' is a job of its own`, "leave out the store's .batch()");
    } else if (last.batch?.mode === 'array' || last.batch?.mode === 'separate') {
      refuse(`every member of '${last.name}' is a job of its own`, "use mode: 'packed'");
    } else if (requirement(application) !== undefined && requirement(application) !== requirement(last)) {
      refuse(`'${name}' requires other nodes than '${last.name}'`, `say .requires() of '${last.name}' alone`);
    }
  }
}

/** Nobody asks for nodes of its own where it has them already, or has none. */
function checkApart(experiment: ExperimentDeclaration, problems: Problems): void {
  for (const entity of experiment.entities) {
    if (!isApart(entity)) continue;
    const { name, batch } = entity;
    const at = entity.requires?.apart === true ? entity.requires.at : entity.at;
    const refuse = (message: string, hint: string) => problems.error('PLAN1006', `apart: ${message}`, at, hint);
    const shares = namedBy(entity);
    if (batch !== undefined) {
      refuse(`'${name}' is a job of its own, so all its nodes are its own`, 'leave out apart, or its .batch()');
    }
    if (shares !== undefined) {
      refuse(
        `'${name}' shares the nodes of '${shares.name}', so it has none of its own`,
        `say apart of '${shares.name}'`,
      );
    }
  }
}
