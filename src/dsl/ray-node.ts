import type { RayClusterDeclaration, SetupDeclaration, UsesRayDeclaration } from '../ir/index.js';
import { nonEmptyText, rayClusterOptions, rayOptions } from '../ir/options/index.js';
import type { Arguments } from './arguments.js';
import { checkName, setupNode } from './entity-nodes.js';

/** Arguments of `ray start` that the cluster gives it itself, and the option that stands for each, if there is one. */
const ownArguments: Readonly<Record<string, string | undefined>> = {
  '--head': undefined,
  '--block': undefined,
  '--address': undefined,
  '--node-ip-address': undefined,
  '--temp-dir': undefined,
  '--ray-client-server-port': undefined,
  '--redis-password': "auth: 'token'",
  '--port': 'port',
  '--dashboard-port': 'dashboardPort',
  '--num-cpus': 'cpusPerNode',
  '--num-gpus': 'gpusPerNode',
};

/** A Ray cluster from the options of `.rayCluster()`. */
export function rayClusterNode(checked: Arguments, name: unknown, given: unknown): RayClusterDeclaration {
  const options = checked.options(rayClusterOptions, given);
  const ray = checked.read(rayOptions, options);
  const node = { ...ray, nodes: ray.nodes ?? 1 };
  refuseOwnArguments(checked, 'headArgs', ray.headArgs);
  refuseOwnArguments(checked, 'workerArgs', ray.workerArgs);
  const own = checkName(checked, name);
  return {
    kind: 'ray-cluster',
    at: checked.at,
    name: own,
    ray: node,
    command: {
      kind: 'command',
      at: checked.at,
      executable: 'node',
      args: ['../../runtime/simwright.mjs', 'ray-node', own],
      nodes: node.nodes,
      tasks: node.nodes,
      tasksPerNode: 1,
      ...(node.cpusPerNode === undefined ? {} : { cpusPerTask: node.cpusPerNode }),
      ...(node.gpusPerNode === undefined ? {} : { gpusPerNode: node.gpusPerNode }),
    },
    ...setupOf(checked, options['setup']),
    attach: [],
    mlModels: [],
    scripts: [],
    incoming: [],
    after: [],
  };
}

/** The name of the cluster that an entity uses. */
export function usesRayNode(checked: Arguments, name: unknown): UsesRayDeclaration | undefined {
  const cluster = checked.take(nonEmptyText, name, 'the name');
  return cluster === undefined ? undefined : { kind: 'uses-ray', at: checked.at, name: cluster };
}

function setupOf(checked: Arguments, given: unknown): { readonly setup?: SetupDeclaration } {
  return given === undefined ? {} : { setup: setupNode(checked, given) };
}

function refuseOwnArguments(checked: Arguments, option: string, words: readonly string[]): void {
  for (const word of words) {
    const [flag = ''] = word.split('=');
    if (!Object.hasOwn(ownArguments, flag)) continue;
    const instead = ownArguments[flag];
    const message = `${checked.call}: ${option} cannot hold ${flag}, which the cluster says itself`;
    checked.problems.error(
      'DSL1001',
      message,
      checked.at,
      instead === undefined ? 'leave it out' : `say ${instead} instead`,
    );
  }
}
