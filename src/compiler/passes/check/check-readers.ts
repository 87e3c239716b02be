import type { Problems } from '../../../diagnostics/index.js';
import { type ApplicationDeclaration, applicationsOf, type ExperimentDeclaration } from '../../../ir/index.js';
import type { Reads } from '../known.js';
import { entityOf } from '../lookup/references.js';
import { visibleStores } from '../lookup/visible-stores.js';

/** Warns of keys that cannot be found: in a store that their reader does not see, or under a prefix that nobody reads. */
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

/** Clients look for the inputs of a model under the prefixes that they read, and put what they write under their own. */
function checkOwnKeys(
  experiment: ExperimentDeclaration,
  application: ApplicationDeclaration,
  problems: Problems,
): void {
  const { name, kind, keyPrefixing = kind === 'ensemble', mlModels, scripts, incoming } = application;
  const [first] = [...mlModels, ...scripts];
  // An application that reads others' keys may give those to the model.
  if (!keyPrefixing || first === undefined || incoming.length > 0) return;
  if (visibleStores(experiment, application).length === 0) return;
  const message = `'${name}' puts its name before the keys it writes and reads none so named, so '${first.name}' will find no input`;
  const hint = `add .registerIncomingEntity('${name}') to read its own keys, or .disableKeyPrefixing()`;
  problems.warning('REF1010', message, first.at, hint);
}
