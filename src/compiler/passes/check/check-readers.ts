import type { Problems } from '../../../diagnostics/index.js';
import {
  type ApplicationDeclaration,
  applicationsOf,
  type ExperimentDeclaration,
  hasNumbers,
} from '../../../ir/index.js';
import type { Reads } from '../compilation.js';
import { entityOf } from '../lookup/references.js';
import { visibleStores } from '../lookup/visible-stores.js';

/** Warns of keys that their reader cannot find: they are in a store that it does not see, or have a prefix that it does not use. */
export function checkReaders({ experiment }: Reads<'experiment'>, problems: Problems): void {
  for (const application of applicationsOf(experiment)) {
    checkIncoming(experiment, application, problems);
    checkOwnKeys(experiment, application, problems);
  }
}

function checkIncoming(
  experiment: ExperimentDeclaration,
  application: ApplicationDeclaration,
  problems: Problems,
): void {
  const seen = new Set(visibleStores(experiment, application).map(({ name }) => name));
  for (const { name, at } of application.incoming) {
    const writer = entityOf(name, applicationsOf(experiment));
    if (writer === undefined) continue;
    const written = visibleStores(experiment, writer);
    if (written.some((store) => seen.has(store.name))) continue;
    const call = `.registerIncomingEntity('${name}')`;
    if (writer === application || written.length === 0) {
      const whose = writer === application ? 'it' : `'${writer.name}'`;
      const message = `${call}: '${application.name}' cannot read its keys: ${whose} sees no store to put them into`;
      problems.warning('REF1011', message, at, 'open one with .orchestrator(), or give it one with .colocate()');
      continue;
    }
    const message = `${call}: '${application.name}' sees none of the stores that '${writer.name}' puts its keys into`;
    const hint = `add .sharesNodesWith('${writer.name}') to see its colocated store, or open one for both with .orchestrator()`;
    problems.warning('REF1011', message, at, hint);
  }
}

/** An application's ML model gets its inputs: clients write under their own prefix, and look for inputs under the prefixes they read. */
function checkOwnKeys(
  experiment: ExperimentDeclaration,
  application: ApplicationDeclaration,
  problems: Problems,
): void {
  const { name, keyPrefixing = hasNumbers(application), mlModels, scripts, incoming } = application;
  const [first] = [...mlModels, ...scripts];
  // Keys of other entities may be the model's inputs.
  if (!keyPrefixing || first === undefined || incoming.length > 0) return;
  if (visibleStores(experiment, application).length === 0) return;
  const message = `'${name}' puts its name before the keys it writes and reads none so named, so '${first.name}' will find no input`;
  const hint = `add .registerIncomingEntity('${name}') to read its own keys, or .disableKeyPrefixing()`;
  problems.warning('REF1010', message, first.at, hint);
}
