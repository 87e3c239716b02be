import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { LoadedWorkflow } from '../../src/compiler/index.js';
import type { Site } from '../../src/ir/index.js';
import { isNewEnough } from '../../src/runtime/engine/find-engine.js';
import { builtModule, hasCompiler, servers } from '../runtime/engine/support/servers.js';

const server = servers.find(isNewEnough);

/** Why a fixture cannot be rehearsed here; empty where it can. */
export function lacksOf(name: string): string {
  return name === 'sharded-store' && (server === undefined || !hasCompiler) ? 'no Valkey or Redis, or no compiler' : '';
}

/** States of jobs that do not all complete, by fixture. */
export const others: Readonly<Record<string, readonly RegExp[]>> = {
  // Nothing fails that would have to be repaired.
  'chained-jobs': [/^repair cancelled/],
  // A store of RedisAI, which is not there, is refused.
  'two-stores': [/^two-stores failed 1$/],
};

/** Fixtures that are rehearsed elsewhere or not at all: their scripts have no line that those of another one lack. */
export const leftOut: Readonly<Record<string, string>> = {
  'ray-cluster': 'it needs Ray: test/slurm/ray runs its cluster',
  'wall-model':
    'it needs PyTorch, which takes seconds to start: test/slurm/flagship runs it, and colocated-uds has its lines',
};

/** Job arrays with fewer members: numbers of values that parameters keep, and the largest array. An element is like all others. */
const shorter: Readonly<Record<string, { readonly values: Readonly<Record<string, number>>; readonly most?: number }>> =
  {
    'job-array': { values: { SEED: 3 } },
    'large-array': { values: { a: 2, b: 2, c: 2, d: 1, e: 1 }, most: 4 },
  };

export function shorten(name: string, workflow: LoadedWorkflow, site: Site): [LoadedWorkflow, Site] {
  const how = shorter[name];
  if (how === undefined) return [workflow, site];
  const entities = workflow.declaration.entities.map((entity) => {
    if (entity.kind !== 'ensemble' || entity.params === undefined) return entity;
    const values = Object.entries(entity.params.values).map(([axis, all]) => [
      axis,
      Array.isArray(all) ? all.slice(0, how.values[axis]) : all,
    ]);
    return { ...entity, params: { ...entity.params, values: Object.fromEntries(values) } };
  });
  const declaration = { ...workflow.declaration, entities };
  return [
    { ...workflow, declaration },
    { ...site, ...(how.most === undefined ? {} : { maxArraySize: how.most }) },
  ];
}

/** Variables by which a store finds its server and the module. */
export async function engineVariables(): Promise<Readonly<Record<string, string>>> {
  if (server === undefined || !hasCompiler) return {};
  const data = mkdtempSync(join(tmpdir(), 'simwright-test-engine-'));
  afterAll(() => rmSync(data, { recursive: true, force: true }));
  mkdirSync(join(data, 'simwright/engine'), { recursive: true });
  copyFileSync(await builtModule(), join(data, 'simwright/engine/simwright.so'));
  return { XDG_DATA_HOME: data, SIMWRIGHT_ENGINE_SERVER: server.path };
}
