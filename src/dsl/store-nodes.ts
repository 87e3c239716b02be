import type { ColocatedDeclaration, OrchestratorDeclaration } from '../ir/index.js';
import {
  colocatedOptions,
  colocateOptions,
  orchestratorOptions,
  tcpOptions,
  transportOptions,
  udsOptions,
} from '../ir/options/index.js';
import type { Arguments } from './arguments.js';
import { checkName } from './entity-nodes.js';

/** A colocated store from the options of `.colocate()`. */
export function colocatedNode(checked: Arguments, given: unknown): ColocatedDeclaration {
  const options = checked.options(colocateOptions, given);
  checked.read(transportOptions, options);
  const isTcp = options['tcp'] === true;
  if (isTcp === (options['uds'] === true)) {
    const hint = 'say { uds: true } or { tcp: true }';
    checked.problems.error('DSL1001', '.colocate() needs either tcp or uds', checked.at, hint);
  } else {
    const [own, other] = isTcp ? ['tcp', 'uds'] : ['uds', 'tcp'];
    for (const name of Object.keys(isTcp ? udsOptions : tcpOptions)) {
      if (options[name] === undefined) continue;
      const message = `.colocate(): ${name} belongs to ${other}, and this store uses ${own}`;
      checked.problems.error('DSL1001', message, checked.at);
    }
  }
  return {
    kind: 'colocated',
    at: checked.at,
    transport: isTcp
      ? { kind: 'tcp', ...checked.read(tcpOptions, options) }
      : { kind: 'uds', ...checked.read(udsOptions, options) },
    ...checked.read(colocatedOptions, options),
  };
}

/** A standalone store from the options of `.orchestrator()`. */
export function orchestratorNode(checked: Arguments, given: unknown): OrchestratorDeclaration {
  const options = checked.options(orchestratorOptions, given);
  const node = checked.read(orchestratorOptions, options);
  return { kind: 'orchestrator', at: checked.at, ...node, name: checkName(checked, options['name'] ?? node.name) };
}
