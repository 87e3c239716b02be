import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { simwright } from '../helpers/simwright.js';
import type { Workspace } from '../helpers/workspace.js';
import { waitUntil } from '../runtime/support/wait-until.js';
import { useCluster, whyNoSlurm } from './cluster.js';
import { compileForSlurm, log, nothingLeft, sharedWorkspace } from './workspaces.js';

const why = whyNoSlurm();

/**
 * Says in the file `events` of its directory where it runs, and works until a file `go` lies beside the workflow. Told to end it takes a
 * while to write its checkpoint, and ends in order, unless it is stubborn; started again with one, it has nothing left to do.
 */
const stoppable = (workspace: Workspace) => `
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
const say = (what) => appendFileSync('events', what + ' ' + hostname() + '\\n');
process.on('SIGTERM', () => {
  say('told');
  if (process.argv[2] === '--LEVEL=stubborn') return;
  // What another rank has saved is not its own.
  clearInterval(work);
  setTimeout(() => {
    writeFileSync('checkpoint', hostname());
    say('saved');
    process.exit(0);
  }, 500);
});
say(existsSync('checkpoint') ? 'resumed' : 'started');
const goOn = () => existsSync('checkpoint') || existsSync(${JSON.stringify(workspace.path('go'))});
const work = setInterval(() => process.argv[2] === '--LEVEL=0' || goOn() ? process.exit(0) : undefined, 20);
`;

/** Each rank puts its number into the store and waits for that of the other. */
const ranks = `
import { Client, tensor } from 'simwright/client';
const rank = Number(process.env.SLURM_PROCID);
const client = await Client.connect();
await client.putTensor('rank' + rank, tensor([rank + 0.5], [1]));
const other = 'rank' + (1 - rank);
if (!(await client.pollTensor(other, { intervalMs: 50, attempts: 1000 }))) throw new Error(other);
console.log(rank, (await client.getTensor(other)).data[0], process.env.SSDB);
await client.close();
await import('./app.mjs');
`;

describe.skipIf(why !== '')(`scenarios on a real Slurm${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  const cluster = useCluster();

  async function compiled(chain: string): Promise<Workspace> {
    const workspace = sharedWorkspace();
    workspace.write('app.mjs', stoppable(workspace));
    workspace.write('ranks.mjs', ranks);
    workspace.workflow(chain);
    await compileForSlurm(workspace);
    return workspace;
  }

  /** What applications say, of the members of an entity or of one that has but itself. */
  const eventsOf = (workspace: Workspace, directory: string) => workspace.lines('out/run', directory, 'events');
  /** The host that an application said it was on. */
  const hostOf = (workspace: Workspace, directory: string) => eventsOf(workspace, directory)[0]?.split(' ')[1] ?? '';
  const addressOf = (workspace: Workspace, store: string): { host: string; pid: number } =>
    JSON.parse(workspace.read('out/run/stores', store, 'address.json')).nodes[0];

  test('a store on a node beside an application on two others, which is told when the store dies', async () => {
    const workspace = await compiled(`experiment('e')
  .batch({ nodes: 3, walltime: '00:05:00' })
  .orchestrator()
  .model('solver', command('node', 'ranks.mjs').nodes(2).tasks(2).cpusPerTask(2)).attach({ copy: '*.mjs' })`);
    const { e: id = '' } = await cluster().submit(workspace.path('out'));
    const events = () => eventsOf(workspace, 'solver');
    await waitUntil('both ranks work', () => events().length === 2 || log(workspace, `e-${id}.out`), 60);
    const { host, pid } = addressOf(workspace, 'orchestrator');
    const hosts = events().map((event) => event.split(' ')[1]);
    expect(new Set([...hosts, host]).size).toBe(3);
    const output = workspace.lines('out/run/solver/solver.out').sort();
    expect(output.map((line) => line.split(' ').slice(0, 2))).toEqual([
      ['0', '1.5'],
      ['1', '0.5'],
    ]);
    await cluster().on(host, 'kill', '-KILL', String(pid));
    const [end] = await cluster().ended(id);
    expect([end?.state, end?.exitCode]).toEqual(['FAILED', '1:0']);
    expect(log(workspace, `e-${id}.out`)).toContain("error[RUN1005]: store 'orchestrator'");
    expect(
      events()
        .map((event) => event.split(' ')[0])
        .sort(),
    ).toEqual(['saved', 'saved', 'started', 'started', 'told', 'told']);
    const steps = await cluster().steps(id);
    expect(steps.find(({ name }) => name === 'orchestrator')?.nodes).toBe(host);
    const told = steps.find(({ name }) => name === 'simwright-allow');
    // Three of four, as Slurm writes them.
    expect(told).toMatchObject({
      state: 'COMPLETED',
      nodes: expect.stringMatching(/^node\[(\d-\d(,\d)?|\d,\d-\d)\]$/),
    });
    expect(steps.find(({ name }) => name === 'solver')).toMatchObject({ state: 'COMPLETED', exitCode: '0:0' });
    await nothingLeft(workspace.path('out'));
  }, 540_000);

  test('at the walltime members write their checkpoints and are marked; submitted again, the job finishes the rest', async () => {
    const workspace = await compiled(`experiment('e')
  .batch({ nodes: 2, walltime: '00:00:20', preamble: ['export SIMWRIGHT_KILL_AFTER=3'] })
  .ensemble('sweep', command('node', 'app.mjs', '{args}').cpusPerTask(2))
    .params({ LEVEL: [0, 1, 2, 'stubborn'] }, { asArgs: ['LEVEL'] })
    .attach({ copy: 'app.mjs' })`);
    const { e: id = '' } = await cluster().submit(workspace.path('out'));
    const [end] = await cluster().ended(id);
    expect([end?.state, end?.exitCode], log(workspace, `e-${id}.out`)).toEqual(['FAILED', '124:0']);
    expect(log(workspace, `e-${id}.out`)).toContain(
      'sweep (4 members): 1 completed, 3 interrupted; the walltime is about to be over',
    );
    expect(workspace.members('out')).toEqual([
      'sweep_0 completed 0',
      'sweep_1 interrupted 0',
      'sweep_2 interrupted 0',
      'sweep_3 interrupted 137',
    ]);
    for (const member of ['sweep_1', 'sweep_2']) {
      const host = hostOf(workspace, `sweep/${member}`);
      expect(eventsOf(workspace, `sweep/${member}`)).toEqual([`started ${host}`, `told ${host}`, `saved ${host}`]);
      expect(workspace.read('out/run/sweep', member, 'checkpoint')).toBe(host);
    }
    expect(eventsOf(workspace, 'sweep/sweep_3').map((event) => event.split(' ')[0])).toEqual(['started', 'told']);
    const names = [0, 1, 2, 3].map((index) => `sweep_${index}`);
    const hosts = names.map((name) => hostOf(workspace, `sweep/${name}`));
    expect(new Set(hosts).size).toBe(2);
    const steps = await cluster().steps(id);
    expect(steps.map(({ name, nodes }) => `${name} ${nodes}`).sort()).toEqual(
      names.map((name, index) => `${name} ${hosts[index]}`),
    );
    const hostsInCsv = () =>
      workspace
        .lines('out/run/members.csv')
        .slice(1)
        .map((row) => row.split(',').at(-1));
    expect(hostsInCsv()).toEqual(hosts);

    workspace.write('go', '');
    const { e: second = '' } = await cluster().submit(workspace.path('out'));
    const [again] = await cluster().ended(second);
    expect([again?.state, again?.exitCode]).toEqual(['COMPLETED', '0:0']);
    expect(log(workspace, `e-${second}.out`)).toContain('1 completed before, skipped');
    expect(workspace.members('out')).toEqual(names.map((name) => `${name} completed 0`));
    expect(hostsInCsv()).toEqual(names.map((name) => eventsOf(workspace, `sweep/${name}`).at(-1)?.split(' ')[1]));
    expect(eventsOf(workspace, 'sweep/sweep_2')[3]).toMatch(/^resumed node\d$/);
    expect(eventsOf(workspace, 'sweep/sweep_0')).toHaveLength(1);
    await nothingLeft(workspace.path('out'));
  }, 540_000);

  test('a job a member; another begins when one of them has started, before any ends', async () => {
    const workspace = await compiled(`experiment('e')
  .ensemble('sweep', command('node', 'app.mjs', '{args}'))
    .params({ LEVEL: [10, 20, 30] }, { asArgs: ['LEVEL'] })
    .attach({ copy: 'app.mjs' })
    .batch({ mode: 'separate', walltime: '00:05:00' })
  .model('watcher', command('hostname')).after('sweep_1', 'started').batch({ walltime: '00:05:00' })`);
    await cluster().submit(workspace.path('out'));
    const rows = workspace.lines('out/run/jobs.tsv').map((row) => row.split('\t'));
    expect(rows.map(([name]) => name)).toEqual(['sweep', 'sweep', 'sweep', 'watcher']);
    const ids = rows.map(([, id = '']) => id);
    expect(new Set(ids).size).toBe(4);
    const [watcher] = await cluster().ended(ids[3] ?? '');
    expect([watcher?.state, watcher?.exitCode]).toEqual(['COMPLETED', '0:0']);
    expect(workspace.read('out/run/watcher/watcher.out')).toBe(`${watcher?.nodes}\n`);
    const members = [0, 1, 2].map((index) => `sweep_${index}`);
    expect(await cluster().queued(ids[1] ?? '')).toEqual(['RUNNING None']);
    await waitUntil('all work', () => members.every((name) => eventsOf(workspace, `sweep/${name}`).length > 0), 60);
    workspace.write('go', '');
    for (const [index, name] of members.entries()) {
      const [job] = await cluster().ended(ids[index] ?? '');
      expect(job, name).toMatchObject({
        state: 'COMPLETED',
        exitCode: '0:0',
        nodes: hostOf(workspace, `sweep/${name}`),
      });
    }
    expect(JSON.parse(workspace.read('out/run/sweep/sweep_2/params.json'))).toEqual({ LEVEL: 30 });
    expect(workspace.members('out')).toEqual(members.map((name) => `${name} completed 0`));
    await nothingLeft(workspace.path('out'));
  }, 540_000);

  test('pins a store within the CPUs of its step; scancel tells the application, and leaves nothing', async () => {
    const workspace = await compiled(`experiment('e')
  .batch({ walltime: '00:05:00', directives: { set: { '--nodelist': 'node4' } } })
  .model('solver', command('node', 'app.mjs'))
    .attach({ copy: 'app.mjs' })
    .colocate({ uds: true, pin: [0] })`);
    // As if Slurm gave its jobs there nothing but this CPU.
    const daemon = (await cluster().on('node4', 'pgrep', '-x', 'slurmd')).trim();
    await cluster().on('node4', 'taskset', '-acp', '1', daemon);
    const { e: id = '' } = await cluster().submit(workspace.path('out'));
    const events = () => eventsOf(workspace, 'solver');
    await waitUntil('it works', () => events().length === 1 || log(workspace, `e-${id}.out`), 60);
    const { host, pid } = addressOf(workspace, 'solver');
    expect([host, events()[0]]).toEqual(['node4', 'started node4']);
    const status = await cluster().on('node4', 'cat', `/proc/${pid}/status`);
    expect(status).toMatch(/^Cpus_allowed_list:\t1$/m);
    await cluster().ask('scancel', id);
    expect(await cluster().ended(id)).toMatchObject([{ state: expect.stringMatching(/^CANCELLED/) }]);
    await nothingLeft(workspace.path('out'));
    expect(events()).toEqual(['started node4', 'told node4', 'saved node4']);
    expect(readFileSync(workspace.path('out/run/solver/checkpoint'), 'utf8')).toBe('node4');
    expect(await cluster().on('node4', 'ls', '/tmp')).not.toContain(`simwright-0-${id}`);
  }, 540_000);

  test('requeued, a job adds to its log and members keep what they wrote; members.csv names hosts while they run', async () => {
    const workspace = sharedWorkspace();
    const app = `echo "part $(ls | grep -c out)"; echo warned >&2; until [ -e ${workspace.path('go')} ]; do sleep 0.1; done`;
    workspace.write('app.sh', app);
    workspace.workflow(`experiment('e')
  .batch({ nodes: 2, walltime: '00:05:00', directives: { set: { '--nodelist': 'node1,node2' } } })
  .ensemble('sweep', command('sh', 'app.sh', '{args}').cpusPerTask(4))
    .params({ LEVEL: [0, 1] }, { asArgs: ['LEVEL'] })
    .attach({ copy: 'app.sh' })`);
    await compileForSlurm(workspace);
    const { e: id = '' } = await cluster().submit(workspace.path('out'));
    const inCsv = () =>
      workspace
        .lines('out/run/members.csv')
        .slice(1)
        .map((row) => row.split(','))
        .map((cells) => `${cells[4]} ${cells.at(-1)}`)
        .sort();
    const running = ['running node1', 'running node2'];
    await waitUntil('members.csv names hosts', () => String(inCsv()) === String(running) || String(inCsv()), 90);
    const saysPart = (index: number) => {
      const [out, err] = ['out', 'err'].map((end) => `out/run/sweep/sweep_${index}/sweep_${index}.${end}`);
      const read = (path = '') => (workspace.has(path) ? workspace.read(path) : '');
      return read(out) === 'part 1\n' && read(err).includes('warned\n');
    };
    await waitUntil('both members have begun', () => [0, 1].every(saysPart), 90);

    await cluster().ask('scontrol', 'requeue', id);
    const hasBegunAgain = async () => {
      // Slurm lets a job that was requeued wait for two minutes.
      await cluster()
        .ask('scontrol', 'update', `JobId=${id}`, 'StartTime=now')
        .catch(() => undefined);
      return [0, 1].every((index) => workspace.has(`out/run/sweep/sweep_${index}/sweep_${index}.out.1`));
    };
    await waitUntil('both members run again', hasBegunAgain, 90);
    workspace.write('go', '');
    const [end] = await cluster().ended(id);
    expect([end?.state, end?.exitCode], log(workspace, `e-${id}.out`)).toEqual(['COMPLETED', '0:0']);
    for (const name of ['sweep_0', 'sweep_1']) {
      const [out, before, err] = ['out', 'out.1', 'err.1'].map((one) =>
        workspace.read('out/run/sweep', name, `${name}.${one}`),
      );
      expect([before, out]).toEqual(['part 1\n', 'part 2\n']);
      expect(err).toContain('warned\n');
    }
    expect(log(workspace, `e-${id}.out`)).toMatch(/2 interrupted.*\nsweep \(2 members\): 2 completed/);
    const said = await simwright(workspace, 'logs', 'out', 'sweep_1');
    expect(said.stdout).toMatch(/^attempt 1 of 2: interrupted .*on node\d.*; job e \(\d+\), begun /m);
    expect(said.stdout).toMatch(/^attempt 2 of 2: completed .*on node\d; job e \(\d+\), begun /m);
    expect(said.stdout).toContain('sweep_1.out.1:\n    part 1\n');
    await nothingLeft(workspace.path('out'));
  }, 540_000);
});
