import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa, execaSync } from 'execa';
import { describe, expect, test } from 'vitest';
import { checkSite, compile, loadSite, writeFolder } from '../../src/compiler/index.js';
import { command, experiment } from '../../src/dsl/index.js';
import { type AuthoredExperiment, authoredExperiment, type SiteInput } from '../../src/ir/index.js';
import { builtInSites } from '../../src/sites/built-in.js';
import { waitUntil } from '../runtime/support/wait-until.js';
import { workspace } from './support/workspace.js';

const chain = experiment('chain')
  .model('a', command('app'))
  .batch({})
  .model('b', command('app'))
  .after('a')
  .batch({})
  .model('c', command('app'))
  .after('a', 'failed')
  .batch({})
  .model('d', command('app'))
  .after('b', 'ended')
  .batch({});

/** Programs on the PATH of a workspace with a compiled `out/`; each is a bash script. */
async function prepare(
  authored: AuthoredExperiment,
  site: string | SiteInput,
  programs: Readonly<Record<string, string>>,
) {
  const folder = workspace({});
  const { files } = compile(
    { ...authored[authoredExperiment], file: join(folder, 'workflow.ts') },
    typeof site === 'string' ? await loadSite(site, builtInSites) : checkSite(site, site.name, undefined),
  );
  writeFolder(join(folder, 'out'), files);
  mkdirSync(join(folder, 'bin'));
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(folder, 'bin', name), `#!/bin/bash\n${body}\n`);
    chmodSync(join(folder, 'bin', name), 0o755);
  }
  const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, FOLDER: folder, CDPATH: '/' };
  const run = (...words: string[]) =>
    execaSync('bash', ['out/submit.sh', ...words], { cwd: folder, env, reject: false });
  const read = (path: string) => readFileSync(join(folder, path), 'utf8');
  return { folder, env, run, read };
}

/** Counts submissions, and keeps their words and what they find in their surroundings. */
const record = `n=$(ls "$FOLDER" | grep -c ^call-)
printf '%s ' "$@" >"$FOLDER/call-$n"; echo "fresh=$SIMWRIGHT_FRESH retry=$SIMWRIGHT_RETRY" >>"$FOLDER/call-$n"`;

describe('schedulers that answer as theirs do', () => {
  test('sbatch, of a federation', async () => {
    const { run, read } = await prepare(chain, 'slurm', { sbatch: `${record}; echo "10$n;cluster"` });
    expect(run('--retry', '2').stdout).toBe('a\t100\nb\t101\nc\t102\nd\t103');
    expect(run('--fresh').exitCode).toBe(0);
    expect(read('out/run/jobs.tsv')).toBe('a\t100\nb\t101\nc\t102\nd\t103\na\t104\nb\t105\nc\t106\nd\t107\n');
    expect(read('call-1')).toBe(
      '--parsable --dependency=afterok:100 --kill-on-invalid-dep=yes jobs/b.sbatch fresh= retry=2\n',
    );
    expect(read('call-6')).toBe(
      '--parsable --dependency=afternotok:104 --kill-on-invalid-dep=yes jobs/c.sbatch fresh=1 retry=0\n',
    );
  });

  test('qsub, whose ids start at 0', async () => {
    const { run, read } = await prepare(chain, 'pbs', { qsub: `${record}; echo "$n.server"` });
    expect(run().stdout).toBe('a\t0.server\nb\t1.server\nc\t2.server\nd\t3.server');
    expect(read('call-3')).toBe(
      '-v SIMWRIGHT_FRESH,SIMWRIGHT_KEEP,SIMWRIGHT_RETRY,SIMWRIGHT_RUN -W depend=afterany:1.server jobs/d.pbs fresh= retry=0\n',
    );
  });

  test('bsub, which reads the script and talks', async () => {
    const bsub = `${record}; grep -c '^#BSUB' >>"$FOLDER/call-$n"; echo 'Welcome!'; echo "Job <4$n> is submitted to default queue <normal>."`;
    const { run, read } = await prepare(chain, 'lsf', { bsub });
    expect(run().stdout).toBe('a\t40\nb\t41\nc\t42\nd\t43');
    expect(read('call-2')).toBe('-w exit(40) -ti fresh= retry=0\n3\n');
  });

  test('bsub of a descendant of OpenLava, which knows neither -ti nor units of memory: no job waits for ever', async () => {
    const bsub = `${record}; grep '^#BSUB -R' >>"$FOLDER/call-$n"; echo "Job <4$n> is submitted to queue <normal>."`;
    const app = command('app').launcher('mpirun').memoryPerNode('2G');
    const pair = experiment('e').model('a', app).batch({}).model('b', app).after('a').batch({});
    for (const [lsid, words, memory] of [
      ["echo 'volclava 2.1.1, Jan 01 2025'", '-w ended(40)', '2048'],
      ["echo 'IBM Spectrum LSF Standard 10.1.0.13'", '-w done(40) -ti', '2048MB'],
    ] as const) {
      const site = { name: 'l', target: 'lsf', launcher: 'mpirun' } as const;
      const { run, read } = await prepare(pair, site, { bsub, lsid });
      expect(run().stdout).toBe('a\t40\nb\t41');
      expect(read('call-1')).toBe(`${words} fresh= retry=0\n#BSUB -R "rusage[mem=${memory}] span[ptile=1]"\n`);
    }
  });

  test.each([
    ['slurm', 'sbatch'],
    ['pbs', 'qsub'],
    ['lsf', 'bsub'],
  ])('%s: a refusal ends it, and nothing more is submitted', async (site, program) => {
    const { run, folder } = await prepare(chain, site, { [program]: `${record}; echo 'no such account' >&2; exit 1` });
    const { exitCode, stderr } = run();
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('no such account')]);
    expect(readdirSync(folder).filter((name) => name.startsWith('call-'))).toEqual(['call-0']);
  });
});

describe('what submit.sh hands on arrives, whatever the environment of a job is', () => {
  const own = 'SIMWRIGHT_FRESH,SIMWRIGHT_KEEP,SIMWRIGHT_RETRY,SIMWRIGHT_RUN';

  test.each<[string, string, Readonly<Record<string, string>>, Readonly<Record<string, string>>, string]>([
    ['slurm', 'sbatch', {}, {}, '--parsable jobs/e.sbatch '],
    ['slurm', 'sbatch', { '--export': 'NONE' }, {}, `--parsable --export=${own} jobs/e.sbatch `],
    ['slurm', 'sbatch', { '--export': 'A=b c,D' }, {}, `--parsable --export=A=b c,D,${own} jobs/e.sbatch `],
    ['slurm', 'sbatch', { '--export': 'ALL,A=1' }, {}, '--parsable jobs/e.sbatch '],
    ['slurm', 'sbatch', {}, { SBATCH_EXPORT: 'none' }, `--parsable --export=${own} jobs/e.sbatch `],
    ['slurm', 'sbatch', { '--export': 'NONE' }, { SBATCH_EXPORT: 'ALL' }, '--parsable jobs/e.sbatch '],
    ['pbs', 'qsub', { '-v': 'A=b c,D' }, {}, `-v A=b c,D,${own} jobs/e.pbs `],
    ['sge', 'qsub', { '-v': 'A=1' }, {}, `-terse -v ${own} jobs/e.sge `],
    ['lsf', 'bsub', {}, {}, ' '],
    ['lsf', 'bsub', { '-env': 'none' }, {}, `-env ${own} `],
    ['lsf', 'bsub', { '-env': 'A, B=2' }, {}, `-env A, B=2,${own} `],
    ['lsf', 'bsub', { '-env': 'all, B=2' }, {}, ' '],
    [
      'cobalt',
      'qsub',
      { '--env': 'A=1' },
      {},
      '--env A=1:SIMWRIGHT_FRESH=1:SIMWRIGHT_KEEP=:SIMWRIGHT_RETRY=0:SIMWRIGHT_RUN=',
    ],
  ])('%s, %s with %j and %j', async (site, program, set, variables, words) => {
    const authored = experiment('e').batch({ walltime: '01:00:00', directives: { set } }).model('m', command('app'));
    const says = {
      slurm: '7',
      pbs: '7.srv',
      lsf: 'Job <7> is submitted to default queue <normal>.',
      cobalt: '7',
      sge: '7',
    }[site];
    const { folder, env, read } = await prepare(authored, site, { [program]: `${record}; echo '${says}'` });
    execaSync('bash', ['out/submit.sh', '--fresh'], { cwd: folder, env: { ...env, ...variables } });
    expect(read('call-0').startsWith(words), read('call-0')).toBe(true);
    expect(read('call-0')).toContain('fresh=1 retry=0\n');
  });

  test('from inside a job of Slurm nothing of that job goes along, but how the cluster is reached', async () => {
    const sbatch = `${record}; env >"$FOLDER/environment"; echo 7`;
    const { folder, env, read } = await prepare(experiment('e').model('m', command('app')), 'slurm', { sbatch });
    const outer = {
      SLURM_JOB_ID: '1',
      SLURM_CPU_BIND: 'quiet,mask_cpu:0x1',
      SLURM_GPUS: '1',
      SLURM_ANYTHING: 'x',
      CUDA_VISIBLE_DEVICES: '3',
      SLURM_CONF: '/etc/slurm.conf',
      SLURM_JWT: 'token',
      SLURM_MPI_TYPE: 'pmix',
    };
    const submit = (variables: Readonly<Record<string, string>>) => {
      execaSync('bash', ['out/submit.sh'], { cwd: folder, env: { ...env, ...variables } });
      return read('environment')
        .split('\n')
        .filter((line) => /^(SLURM|CUDA)/.test(line))
        .sort();
    };
    expect(submit(outer)).toEqual(['SLURM_CONF=/etc/slurm.conf', 'SLURM_JWT=token', 'SLURM_MPI_TYPE=pmix']);
    // A variable that the user has set is not from another job.
    expect(submit({ CUDA_VISIBLE_DEVICES: '3' })).toEqual(['CUDA_VISIBLE_DEVICES=3']);
  });
});

/** Stand-in for Node.js: answers what scripts ask it first, then runs `body` for a verb of the runtime. */
const standIn = (body: string) => `case $1:\${2-} in --version:) echo v20.19.0; exit ;; *:why) exit ;; esac\n${body}`;

describe('on this machine', () => {
  test('jobs run one after the other as their dependencies say; the exit code is the highest', async () => {
    const failing = await prepare(chain, 'local', {
      node: standIn('[ "$SIMWRIGHT_JOB:$2" != a:launch ] || exit 3'),
    });
    const { exitCode, stdout, stderr } = failing.run();
    expect(exitCode).toBe(3);
    expect(stdout.split('\n').map((line) => line.split('\t')[0])).toEqual(['a', 'c']);
    expect(stderr).toBe(
      'submit.sh: b does not run, since it needs a to be completed\nsubmit.sh: d does not run, since it needs b to be ended',
    );
    const fine = (await prepare(chain, 'local', { node: standIn(':') })).run();
    expect([fine.exitCode, fine.stdout.split('\n').map((line) => line.split('\t')[0])]).toEqual([0, ['a', 'b', 'd']]);
    expect(fine.stderr).toBe('submit.sh: c does not run, since it needs a to be failed');
  });

  test('a signal ends the job that runs, and no other one starts', async () => {
    const two = experiment('two').model('a', command('app')).batch({}).model('b', command('app')).batch({});
    const node = `echo "$SIMWRIGHT_JOB:$2" >>"$FOLDER/started"
      [ "$2" = launch ] || exit 0
      trap 'kill "$!"; echo ended >"$FOLDER/ended"; exit 7' TERM
      sleep 60 & touch "$FOLDER/ready"; wait`;
    const { folder, env, read } = await prepare(two, 'local', { node: standIn(node) });
    const script = execa('bash', ['out/submit.sh'], { cwd: folder, env, reject: false });
    await waitUntil('the first job runs', () => existsSync(join(folder, 'ready')));
    script.kill('SIGINT');
    const { exitCode } = await script;
    expect([exitCode, read('ended'), read('started')]).toEqual([130, 'ended\n', 'a:launch\na:down\n']);
  });
});

test('words it does not know are shown the usage, exit code 2', async () => {
  const { run } = await prepare(chain, 'slurm', {});
  expect(run('--frehs')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/^usage: submit\.sh \[--fresh \| --keep\] \[--force\] \[--retry N\]\n {2}--fresh /),
  });
  expect(run('--retry', 'x')).toMatchObject({ exitCode: 2, stderr: 'submit.sh: --retry needs a number' });
  expect(run('--help')).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^usage: /) });
});

test.skipIf(process.getuid?.() !== 0)('a folder that is read-only: it says so first, and submits nothing', async () => {
  const { folder, run } = await prepare(chain, 'slurm', { sbatch: 'touch "$FOLDER/submitted"; echo 1' });
  const out = join(folder, 'out');
  const refused = (place: string) => {
    execaSync('mount', ['--bind', out, out]);
    try {
      execaSync('mount', ['-o', 'remount,bind,ro', out]);
      const end = run();
      expect(end.exitCode).toBe(1);
      expect(end.stderr).toContain(`submit.sh: ${join(out, place)} cannot be written, and jobs write there`);
      expect(existsSync(join(folder, 'submitted'))).toBe(false);
      return end.stderr;
    } finally {
      execaSync('umount', [out]);
    }
  };
  expect(refused('run')).toContain('Read-only file system');
  mkdirSync(join(out, 'run/status'), { recursive: true });
  expect(refused('logs')).not.toContain('new');
});
