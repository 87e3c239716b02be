import { copyFileSync, existsSync, readdirSync } from 'node:fs';
import type { Store } from '../../../../src/ir/index.js';
import { modelFile } from '../../orchestrator/support/start.js';
import { JobFolder } from '../../support/job-folder.js';
import { makeModel, makePlan } from '../../support/make-plan.js';

/** Keys of all of three shards, with braces among them. */
export const keys = ['a', 'b', 'c', 'd', 'e', '{}x', 'a}b{c}', '{tag}.one'];

const program = (body: string) => `
import { Client, tensor } from 'simwright/client';
import { appendFileSync, existsSync } from 'node:fs';
const until = async (name) => { while (!existsSync('../' + name)) await new Promise((resolve) => setTimeout(resolve, 20)); };
const client = await Client.connect();
export const keys = ${JSON.stringify(keys)};
const put = (key, ...values) => client.putTensor(key, tensor(new Float32Array(values), [1, values.length]));
const read = async (key) => (await client.tensorExists(key)) ? [...(await client.getTensor(key)).data].join() : 'nothing';
${body}
await client.close();
`;

const entities = [
  { name: 'sim', stores: ['store'] },
  { name: 'analysis', stores: ['store'], after: [{ name: 'sim', event: 'completed' as const }] },
];
/** Lines of a job: the store, started by those words, and its two users. */
export const steps = (launch = '') => `
runtime up store${launch}
runtime launch sim -- node ../sim.mjs & launched+=($!)
runtime launch analysis -- node ../analysis.mjs & launched+=($!)`;

/** A model that all shards load. */
export const double = makeModel({ name: 'double', artifact: 'artifacts/double.onnx' });

/** Starts its line as often as it is told, as a launcher does on as many nodes: here they are all this one. */
const launcher = `#!/bin/bash
count=$1
shift
for ((i = 0; i < count; i++)); do "$@" & done
wait -n
code=$?
wait
exit "$code"
`;

/** A folder of a job with a store on a server, an application that uses it, and another one after it. */
export function storeFolder(
  bundle: string,
  module: string,
  store: Partial<Store>,
  sim: string,
  analysis = 'process.exit(0);',
): JobFolder {
  const given = { name: 'store', engine: 'redis', ...store } as Store;
  const folder = new JobFolder(bundle, makePlan(entities, [given]));
  folder.write('run/sim.mjs', program(sim));
  folder.write('run/analysis.mjs', program(analysis));
  folder.write('artifacts/double.onnx', modelFile('double'));
  folder.write('bin/nodes', launcher, 0o755);
  folder.makeFolder('runtime/engine');
  copyFileSync(module, folder.path('runtime/engine/simwright.so'));
  return folder;
}

/** Output of the first application. */
export const outputOf = (folder: JobFolder): string =>
  existsSync(folder.path('run/sim/sim.out')) ? folder.read('run/sim/sim.out') : '';

/** Logs of the store's processes. */
export const logOf = (folder: JobFolder): string =>
  readdirSync(folder.path('run/stores/store'))
    .filter((file) => file.endsWith('.log'))
    .map((file) => folder.read(`run/stores/store/${file}`))
    .join('');

/** Statistics of the store's first host. */
export function statsOf(folder: JobFolder): {
  inferences: number;
  keys: number;
  shards?: { first: number; last: number }[];
} {
  const name = readdirSync(folder.path('run/stores/store')).find((file) => file.endsWith('.stats.json'));
  return JSON.parse(folder.read(`run/stores/store/${name}`));
}

/** Its servers. */
export const serversOf = (folder: JobFolder): { pid: number; command: string }[] =>
  folder.processes().filter(({ command }) => /(redis|valkey)-server/.test(command));
