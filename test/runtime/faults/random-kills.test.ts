import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, type TestContext, test, vi } from 'vitest';
import type { Plan, Store } from '../../../src/ir/index.js';
import { useBundle } from '../support/bundle.js';
import { type JobEnd, JobFolder, type RunningJob } from '../support/job-folder.js';
import { makePlan } from '../support/make-plan.js';
import { seeded } from '../support/seeded.js';
import { waitUntil } from '../support/wait-until.js';

/*
 * SIGKILL to one process of a job, whichever, at a random moment: what the next run does must be right. More of them than in each test run:
 *
 *   SIMWRIGHT_KILLS=200 SIMWRIGHT_KILL_SEED=1000 npx vitest run test/runtime/faults/random-kills.test.ts
 */

const kills = Number(process.env['SIMWRIGHT_KILLS'] ?? 24);
const firstSeed = Number(process.env['SIMWRIGHT_KILL_SEED'] ?? 1);
const seeds = Array.from({ length: kills }, (_, index) => firstSeed + index);

vi.setConfig({ maxConcurrency: 2 });
const bundle = useBundle();

const client = (body: string) => `
import { Client, tensor } from 'simwright/client';
import { readFileSync, writeFileSync } from 'node:fs';
const client = await Client.connect();
const put = (key, value) => client.putTensor(key, tensor(Float64Array.of(value), [1]));
const read = async (source, key) => {
  client.setDataSource(source);
  return (await client.getTensor(key)).data[0];
};
${body}
await client.close();
`;

/** Overwrites its key time and again: what it holds before the end is wrong, and looks right. */
const sim = client(`
const { value } = JSON.parse(readFileSync('params.json', 'utf8'));
for (let step = 0; step < 8; step++) {
  await put('energy', -1 - step);
  await new Promise((resolve) => setTimeout(resolve, 30));
}
await put('energy', value);`);
const middle = client(`
const sum = (await read('sim_0', 'energy')) + (await read('sim_1', 'energy'));
await put('sum', -100);
await new Promise((resolve) => setTimeout(resolve, 100));
await put('sum', sum);`);
const analysis = client(`
const sum = await read('middle', 'sum');
await new Promise((resolve) => setTimeout(resolve, 100));
writeFileSync('result.txt', String(sum));`);

const steps = `
runtime up store
runtime launch sim --at-most 2 -- node ../../sim.mjs & launched+=($!)
runtime launch middle -- node ../middle.mjs & launched+=($!)
runtime launch analysis -- node ../analysis.mjs & launched+=($!)`;

/** Stores that save at the end, often, never, and that are started again; two that are colocated with those who use them. */
const stores: readonly Partial<Store>[] = [
  {},
  { checkpointSeconds: 1 },
  { checkpointSeconds: 0 },
  { kind: 'standalone', restart: true },
  { kind: 'standalone', restart: true, checkpointSeconds: 1 },
  { kind: 'colocated', transport: { kind: 'tcp', port: 0 } },
  { kind: 'colocated', transport: { kind: 'uds', permissions: 0o700 }, checkpointSeconds: 1 },
];

function planWith(store: Partial<Store>, values: number[]): Plan {
  const after = (name: string) => [{ name, event: 'completed' as const }];
  const common = { keyPrefixing: true, stores: ['store'] };
  return makePlan(
    [
      { name: 'sim', params: { value: values }, ...common },
      { name: 'middle', incoming: ['sim'], after: after('sim'), ...common },
      { name: 'analysis', incoming: ['middle'], after: after('middle'), ...common },
    ],
    [{ name: 'store', ...store } as Store],
  );
}

function prepared(context: TestContext, plan: Plan): JobFolder {
  const folder = new JobFolder(bundle(), plan, tmpdir(), context);
  for (const [name, text] of Object.entries({ sim, middle, analysis })) folder.write(`run/${name}.mjs`, text);
  return folder;
}

const resultOf = (folder: JobFolder) =>
  existsSync(folder.path('run/analysis/result.txt')) ? folder.read('run/analysis/result.txt') : 'none';

/** Name of what a process is. */
function kindOf(command: string): string {
  if (command.startsWith('bash jobs/')) return 'script';
  return /simwright\.mjs (\w+)/.exec(command)?.[1] ?? 'application';
}

function groupByKind(folder: JobFolder): Map<string, { pid: number }[]> {
  const groups = new Map<string, { pid: number }[]>();
  for (const process_ of folder.processes()) {
    const kind = kindOf(process_.command);
    groups.set(kind, [...(groups.get(kind) ?? []), process_]);
  }
  return groups;
}

/** Kills one process of the job: one of the kinds that there are, each as likely. */
function killOne(folder: JobFolder, random: () => number): string | undefined {
  const byKind = groupByKind(folder);
  const kinds = [...byKind.keys()].sort();
  const kind = kinds[Math.floor(random() * kinds.length)];
  const some = byKind.get(kind ?? '') ?? [];
  const victim = some[Math.floor(random() * some.length)];
  if (victim === undefined) return undefined;
  try {
    process.kill(victim.pid, 'SIGKILL');
    return kind;
  } catch {
    return undefined;
  }
}

/** Seconds in which a job of this size has to end, on whatever machine. */
const mostSeconds = 80;

/** The end of a job; one that does not come fails with what there is to see. */
async function endOf(folder: JobFolder, job: RunningJob, story: string): Promise<JobEnd> {
  const late = new Promise<undefined>((resolve) => {
    setTimeout(() => resolve(undefined), mostSeconds * 1000);
  });
  const ended = await Promise.race([job.ended, late]);
  if (ended !== undefined) return ended;
  const files = readdirSync(folder.path('run/status')).map((name) => `${name}:\n${folder.read(`run/status/${name}`)}`);
  const processes = folder.processes().map(({ pid, command }) => `${pid} ${command}`);
  throw new Error([`${story}: it does not end`, ...processes, ...files].join('\n'));
}

describe(`SIGKILL to any process of a job at a random moment, ${kills} times`, () => {
  let whole: Promise<number> | undefined;

  /** Milliseconds that the job takes here, beside another one as in the tests. */
  async function measure(context: TestContext): Promise<number> {
    const started = performance.now();
    const ends = await Promise.all([0, 1].map(() => prepared(context, planWith({}, [40, 2])).run(steps)));
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
    return performance.now() - started;
  }

  test.concurrent.for(seeds)(
    'seed %i: the next run ends with the right values',
    { timeout: 180_000 },
    async (seed, context) => {
      whole ??= measure(context);
      const duration = await whole;
      const random = seeded(seed);
      const store = stores[seed % stores.length] ?? {};
      const folder = prepared(context, planWith(store, [40, 2]));
      const job: RunningJob = folder.start(steps);
      let victim: string | undefined;
      const moment = random() * duration;
      await new Promise((resolve) => setTimeout(resolve, moment));
      // A moment at which nothing runs any more, or not yet, is none.
      for (let tries = 0; victim === undefined && tries < 50 && job.child.exitCode === null; tries++) {
        victim = killOne(folder, random);
        if (victim === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
      }
      const story = `seed ${seed}, ${JSON.stringify(store)}, ${victim} killed after ${Math.round(moment)} ms`;
      const end = await endOf(folder, job, story);
      await waitUntil(
        `${story}: all of it ends`,
        () => folder.processes().length === 0 || JSON.stringify(folder.processes()),
        60,
      );
      expect(`${end.stdout}${end.stderr}`, story).not.toContain('this is a bug');
      if (end.code === 0) expect(resultOf(folder), `${story}: what it says that it has done`).toBe('42');

      // Every other time one member does something else by then.
      const changes = random() < 0.5;
      if (changes) folder.write('plan.json', JSON.stringify(planWith(store, [40, 3])));
      const again = await endOf(folder, folder.start(steps), `${story}, the next run`);
      const log = `${story}\n${end.stdout}${end.stderr}--- again:\n${again.stdout}${again.stderr}`;
      expect(again.stderr, log).toBe('');
      expect(again.code, log).toBe(0);
      expect(resultOf(folder), log).toBe(changes ? '43' : '42');
      await folder.expectNothingLeft(job);
    },
  );
});
