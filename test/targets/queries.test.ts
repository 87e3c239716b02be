import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import type { Job } from '../../src/ir/index.js';
import { type Answer, expandElements, type JobReport, type Queries, sameJob } from '../../src/targets/queries.js';
import { targets } from '../../src/targets/registry.js';
import { job, site } from './support.js';

/*
 * Answers of schedulers. Those of Slurm and Grid Engine are those of real ones, and so is `bjobs -l` of a descendant of OpenLava; the others
 * follow the manuals of PBS Professional, Spectrum LSF and Cobalt.
 */

const answer = (stdout: string, stderr = '', exitCode = 0): Answer => ({ stdout, stderr, exitCode });
const recorded = (name: string) => answer(readFileSync(new URL(`answers/${name}`, import.meta.url), 'utf8'));
const queriesOf = (name: keyof typeof targets) => targets[name].queries as Queries;
const read = (name: keyof typeof targets, place: number, text: Answer) => queriesOf(name).states[place]?.read(text);
/** `ID[.ELEMENT] STATE EXIT ELAPSED REASON` of each. */
const shortly = (reports: readonly JobReport[] | undefined) =>
  reports?.map(({ id, element, state, exit, elapsedSeconds, reason }) =>
    [element === undefined ? id : `${id}.${element}`, state, exit ?? '-', elapsedSeconds ?? '-', reason ?? '-'].join(
      ' ',
    ),
  );

test('squeue: arrays, components, reasons, the folder', () => {
  const text = `5_0|RUNNING|None|0:05|1:00|6|/home/u/out
5_[2-4%2]|PENDING|JobArrayTaskLimit|0:00|1:00|5|/home/u/out
6|COMPLETING|NonZeroExitCode|1-00:00:02|UNLIMITED|6|/home/u/a|b
17+1|TIMEOUT|TimeLimit|10:00|1-00:00:00|18|/home/u/out
`;
  const reports = read('slurm', 0, answer(text));
  expect(shortly(reports)).toEqual([
    '5.0 RUNNING - 5 -',
    '5.2 PENDING - 0 JobArrayTaskLimit',
    '5.3 PENDING - 0 JobArrayTaskLimit',
    '5.4 PENDING - 0 JobArrayTaskLimit',
    '6 RUNNING - 86402 NonZeroExitCode',
    '17.1 TIMEOUT - 600 TimeLimit',
  ]);
  expect(reports?.map(({ folder }) => folder)).toContain('/home/u/a|b');
  expect(reports?.map(({ ownId, limitSeconds }) => [ownId, limitSeconds])).toEqual([
    ['6', 60],
    [undefined, 60],
    [undefined, 60],
    [undefined, 60],
    [undefined, undefined],
    ['18', 86_400],
  ]);
});

test('squeue: an id that has been forgotten is no failure; a controller that is away is one', () => {
  expect(read('slurm', 0, answer('', 'slurm_load_jobs error: Invalid job id specified', 1))).toEqual([]);
  expect(read('slurm', 0, answer('', 'squeue: error: Unable to contact slurm controller', 1))).toBeUndefined();
});

test('sacct: exit codes and signals; a row without a state says nothing yet', () => {
  const text = `5_0|FAILED|2:0|6
5_1|CANCELLED by 1000|0:15|3
6|OUT_OF_MEMORY|0:125|9
7||0:0|
8|RUNNING|0:0|4
`;
  expect(shortly(read('slurm', 1, answer(text)))).toEqual([
    '5.0 FAILED 2 6 -',
    '5.1 CANCELLED 143 3 -',
    '6 OUT_OF_MEMORY - 9 -',
    '8 RUNNING - 4 -',
  ]);
  expect(read('slurm', 1, answer('', 'Slurm accounting storage is disabled', 1))).toBeUndefined();
});

test('sacct: a job that went on without a node that died is one job, which has ended', () => {
  const text = `1|RESIZING|0:0|30
1|FAILED|3:0|34
2|RESIZING|0:0|5
2|RUNNING|0:0|4
`;
  expect(shortly(read('slurm', 1, answer(text)))).toEqual(['1 FAILED 3 64 -', '2 RUNNING - 9 -']);
});

test('scontrol: what stands in for the accounting', () => {
  const text = `JobId=6 JobName=m UserId=root(0) JobState=FAILED Reason=NonZeroExitCode Dependency=(null) ExitCode=1:0 RunTime=00:00:02 TimeLimit=00:05:00
JobId=9 ArrayJobId=5 ArrayTaskId=3-4%2 JobName=sweep JobState=PENDING Reason=Dependency ExitCode=0:0 RunTime=00:00:00
JobId=18 HetJobId=17 HetJobOffset=1 JobName=h JobState=COMPLETED Reason=None ExitCode=0:0 RunTime=00:01:00
`;
  expect(shortly(read('slurm', 2, answer(text)))).toEqual([
    '6 FAILED 1 2 NonZeroExitCode',
    '5.3 PENDING 0 0 Dependency',
    '5.4 PENDING 0 0 Dependency',
    '17.1 COMPLETED 0 60 -',
  ]);
});

test('qstat of PBS: states, exits beyond those of the script, an array by its elements', () => {
  const reports = read('pbs', 0, recorded('qstat.json'));
  expect(shortly(reports)).toEqual([
    '0.pbs RUNNING - 65 -',
    '1.pbs PENDING - - Job held, dependency on job 0.pbs',
    '2.pbs COMPLETED 0 3600 -',
    '3.pbs FAILED 3 2 Job run at Tue Mar 23 at 11:00 on (node1:ncpus=1) and failed',
    '4.pbs TIMEOUT - 11 walltime exceeded its limit',
    '5.pbs CANCELLED 143 - Job run at Tue Mar 23 at 11:00 on (node1:ncpus=1) and terminated',
    '6[0].pbs.0 COMPLETED 0 10 -',
    '6[1].pbs.1 RUNNING - 4 -',
    '6[2].pbs.2 PENDING - - -',
    // An array that was deleted: those that had ended before, and one that had not.
    '7[0].pbs.0 COMPLETED 0 10 -',
    '7[3].pbs.3 COMPLETED 0 - -',
    '7[1].pbs.1 FAILED 3 - Subjob failed',
    '7[2].pbs.2 CANCELLED 0 - Job run at Sun Nov 29 at 00:48 on (node2:ncpus=1) and terminated',
  ]);
  // The real one said the same of elements that had never run.
  expect(reports?.filter(({ isUnsure }) => isUnsure).map(({ id }) => id)).toEqual(['7[3].pbs']);
  expect(reports?.[0]).toMatchObject({ folder: '/home/user/out', limitSeconds: 600 });
  expect(reports?.[1]?.limitSeconds).toBeUndefined();
  expect(read('pbs', 0, answer('', 'qstat: Unknown Job Id 99.pbs', 153))).toEqual([]);
  expect(
    read('pbs', 0, answer('', 'Connection refused\nqstat: cannot connect to server pbs (errno=15010)', 255)),
  ).toBeUndefined();
});

test('bjobs: states, reasons, elements; an id that it does not know', () => {
  expect(shortly(read('lsf', 0, recorded('bjobs.json')))).toEqual([
    '101 RUNNING - 65 -',
    '102 PENDING - 0 Job dependency condition not satisfied;',
    '103 COMPLETED 0 12 -',
    '104 FAILED 3 2 -',
    '105 TIMEOUT 140 60 TERM_RUNLIMIT: job killed after reaching LSF run time limit',
    '106 CANCELLED 130 5 TERM_OWNER: job killed by owner',
    '107.1 RUNNING - 4 -',
    '107.2 RUNNING - 4 suspended',
  ]);
  // Minutes and the host that they are counted for; clock times where the site wants these; no limit.
  const limits = read('lsf', 0, recorded('bjobs.json'))?.map(({ limitSeconds }) => limitSeconds);
  expect(limits?.slice(0, 4)).toEqual([600, 5400, 180, undefined]);
  expect(read('lsf', 0, answer('', 'LSF is down. Please wait ...', 255))).toBeUndefined();
});

test('bjobs of a descendant of OpenLava: the table, with elements', () => {
  expect(read('lsf', 0, answer('', 'bjobs: illegal option -- j', 255))).toBeUndefined();
  const rows = `JOBID   USER    STAT  QUEUE      FROM_HOST   EXEC_HOST   JOB_NAME   SUBMIT_TIME
201     me      DONE  normal     login       n1          flow       Nov 28 10:00
202     me      PEND  normal     login          -        next       Nov 28 10:01
203     me      RUN   normal     login       2*n2:2*n3   sweep[2]   Nov 28 10:02
203     me      EXIT  normal     login       n2          sweep[1]   Nov 28 10:02
203     me      EXIT  normal     login          -        sweep[3]   Nov 28 10:02
`;
  expect(shortly(read('lsf', 2, answer(rows, 'Job <299> is not found', 255)))).toEqual([
    '201 COMPLETED 0 - -',
    '202 PENDING - - -',
    '203.2 RUNNING - - -',
    '203.1 FAILED - - -',
    '203.3 CANCELLED - - it has never run',
  ]);
  expect(read('lsf', 2, answer('', 'Job <299> is not found', 255))).toEqual([]);
  expect(read('lsf', 2, answer('', 'LSF is down. Please wait ...', 255))).toBeUndefined();
});

test('bjobs -l of a descendant of OpenLava: limits, times, exit codes and reasons; folded lines of IBM', () => {
  vi.setSystemTime(new Date('2026-11-29T12:00:00'));
  expect(shortly(read('lsf', 1, recorded('bjobs-l.txt')))).toEqual([
    '301 FAILED 3 6 -',
    '302 CANCELLED 130 4 -',
    '303 TIMEOUT 140 61 it reached its run limit',
    '304 PENDING - - Dependency condition invalid or never satisfied: 1 host',
    '305.13 FAILED 137 3 -',
    '306 RUNNING - 60 The job was suspended by user',
    '307 COMPLETED 0 86399 -',
    '308 CANCELLED 130 25 TERM_OWNER: job killed by owner',
    '309.900 CANCELLED - - it has never run',
  ]);
  const limits = read('lsf', 1, recorded('bjobs-l.txt'))?.map(({ limitSeconds }) => limitSeconds);
  vi.useRealTimers();
  expect(limits?.slice(0, 4)).toEqual([180, undefined, 60, 300]);
  expect(read('lsf', 1, answer('', 'Job <299> is not found', 255))).toBeUndefined();
});

test('qstat of Cobalt, which forgets a job at its end; its log then tells', () => {
  expect(shortly(read('cobalt', 0, recorded('cobalt-qstat.txt')))).toEqual([
    '500 RUNNING - 65 -',
    '501 PENDING - - dep_hold',
    '502 PENDING - - -',
  ]);
  expect(read('cobalt', 0, recorded('cobalt-qstat.txt'))?.map(({ limitSeconds }) => limitSeconds)).toEqual([
    600, 3600, 1800,
  ]);
  expect(read('cobalt', 0, answer('', '', 1))).toEqual([]);
  const { endLog } = queriesOf('cobalt');
  const job = { name: 'sweep' } as Job;
  expect([endLog?.path(job, undefined), endLog?.path(job, 2)]).toEqual([
    'logs/sweep.cobaltlog',
    'logs/sweep-2.cobaltlog',
  ]);
  const log = (end: string) =>
    endLog?.read(`Tue Mar 23 12:00:00 2021 +0000 (UTC) submitted with cwd set to: /home/u/out\n${end}\n`);
  expect(log('Info: task completed normally with an exit code of 0; initiating job cleanup and removal')).toMatchObject(
    {
      state: 'COMPLETED',
      exit: 0,
    },
  );
  expect(log('Info: task completed with an exit code of 3; initiating job cleanup and removal')).toMatchObject({
    state: 'FAILED',
    exit: 3,
  });
  expect(log('Info: maximum execution time exceeded; initiating job termination')?.state).toBe('TIMEOUT');
  expect(log('Info: user delete requested with signal SIGTERM; initiating job termination')?.state).toBe('CANCELLED');
  expect(log('')).toBeUndefined();
});

test('qstat of Grid Engine: each letter of a state, elements by their own ids, limits', () => {
  const reports = read('sge', 0, recorded('sge-qstat.xml'));
  const timeless = reports?.map(({ elapsedSeconds: _, ...report }) => report);
  expect(shortly(timeless as readonly JobReport[])).toEqual([
    '4.3 RUNNING - - -',
    '4.4 RUNNING - - -',
    '5 RUNNING - - -',
    '9 RUNNING - - being deleted',
    '10 RUNNING - - suspended',
    '1 PENDING - - it could not be started: qstat -j 1 says why',
    '6 PENDING - - after 4, 5',
    '7 PENDING - - held',
  ]);
  expect(reports?.map(({ ownId }) => ownId).slice(0, 3)).toEqual(['4.3', '4.4', undefined]);
  expect(reports?.map(({ limitSeconds }) => limitSeconds)).toEqual([
    4,
    4,
    ...[undefined, undefined, 3600, undefined, undefined, undefined],
  ]);
  const running = `<job_info><job_list><JB_job_number>3</JB_job_number><state>r</state><JAT_start_time>${new Date(
    Date.now() - 65_000 - new Date().getTimezoneOffset() * 60_000,
  )
    .toISOString()
    .slice(0, 19)}</JAT_start_time></job_list></job_info>`;
  expect(read('sge', 0, answer(running))?.[0]?.elapsedSeconds).toBeGreaterThanOrEqual(65);
  expect(read('sge', 0, answer('', 'error: commlib error: got select error', 1))).toBeUndefined();
});

test('qacct: how jobs have ended, of several starts the last, without what launchers started elsewhere', () => {
  expect(shortly(read('sge', 1, recorded('sge-qacct.txt')))).toEqual([
    '2 FAILED 3 0 -',
    '3 COMPLETED 0 2 -',
    '4.2 TIMEOUT 140 5 qmaster enforced h_rt, h_cpu, or h_vmem limit',
    '4.1 TIMEOUT 140 6 qmaster enforced h_rt, h_cpu, or h_vmem limit',
    '4.3 TIMEOUT 140 4 qmaster enforced h_rt, h_cpu, or h_vmem limit',
    '4.4 TIMEOUT 140 5 qmaster enforced h_rt, h_cpu, or h_vmem limit',
    '5 CANCELLED 140 6 -',
    '9 CANCELLED 140 4 -',
  ]);
  const record = (failed: string, exit: number, wallclock = 3) =>
    `${'='.repeat(62)}\njobnumber    7\ntaskid       undefined\nfailed       ${failed}\nexit_status  ${exit}\nru_wallclock ${wallclock}s\ncategory     -l h_vmem=1G,h_rt=60\n`;
  const of = (...records: string[]) => shortly(read('sge', 1, answer(records.join(''))));
  expect(of(record('25  : rescheduling', 99))).toEqual([]);
  expect(of(record('0', 3), record('0', 0, 9))).toEqual(['7 COMPLETED 0 9 -']);
  expect(of(record('37  : qmaster enforced h_rt, h_cpu, or h_vmem limit', 0))).toEqual([
    '7 FAILED - 3 qmaster enforced h_rt, h_cpu, or h_vmem limit',
  ]);
  expect(of(record('26  : opening input/output file', 0))).toEqual(['7 FAILED - 3 opening input/output file']);
  expect(read('sge', 1, answer('', 'error: job id 9 not found', 1))).toEqual([]);
});

test('SIGUSR1 warns of the end under Grid Engine where the script has asked for that', () => {
  const { warnsBeforeEnd } = queriesOf('sge');
  expect(warnsBeforeEnd?.('#!/bin/bash\n#$ -l h_rt=60\n')).toBe(false);
  expect(warnsBeforeEnd?.('#!/bin/bash\n#$ -l h_rt=60,s_rt=50\n')).toBe(true);
});

test('commands are argument lists, ids and all', () => {
  expect(queriesOf('slurm').states.map(({ command }) => command(['1', '2']).join(' '))).toEqual([
    'squeue -h -r -t all -o %i|%T|%r|%M|%l|%A|%Z -j 1,2',
    'sacct -n -P -X -o JobID,State,ExitCode,ElapsedRaw -j 1,2',
    'scontrol -o show job',
  ]);
  expect(queriesOf('pbs').states[0].command(['0.pbs', '6[].pbs'])).toEqual([
    'qstat',
    '-x',
    '-t',
    '-f',
    '-F',
    'json',
    '0.pbs',
    '6[].pbs',
  ]);
  expect(queriesOf('lsf').states[0].command(['7'])).toContain(
    'jobid jobindex stat exit_code exit_reason pend_reason run_time runtimelimit',
  );
  expect(queriesOf('cobalt').states[0].command(['7'])).toEqual(['qstat', '--header=JobID:State:RunTime:WallTime', '7']);
  expect(queriesOf('sge').states.map(({ command }) => command(['7']).join(' '))).toEqual([
    'qstat -xml -g d -r',
    'qacct -j 7',
  ]);
  expect(['slurm', 'pbs', 'lsf', 'cobalt', 'sge'].map((name) => queriesOf(name as 'slurm').cancel)).toEqual([
    ['scancel'],
    ['qdel'],
    ['bkill'],
    ['qdel'],
    ['qdel'],
  ]);
  expect(targets.local.queries).toBeUndefined();
});

test.each([
  ['slurm', '#SBATCH --time=5', 300],
  ['slurm', '#SBATCH --nodes=2 -t 10:30 # half', 660],
  ['slurm', '#SBATCH --time=01:00:00\n# note\n\n#SBATCH -t2-12', 216_000],
  ['slurm', '#SBATCH --time="1-0:30"', 88_200],
  ['slurm', '#SBATCH --time=UNLIMITED', undefined],
  ['slurm', '#SBATCH --nodes=1\n:\n#SBATCH --time=5', undefined],
  ['pbs', '#PBS -l select=1:ncpus=4\n#PBS -l walltime=00:10:00', 600],
  ['pbs', '#PBS -l mem=4gb,walltime=90', 90],
  ['pbs', '#PBS -l select=1\n:\n#PBS -l walltime=90', undefined],
  ['lsf', '#BSUB -J x\n:\n#BSUB -W 01:30', 5400],
  ['lsf', '#BSUB -W 90/hostA -P p', 5400],
  ['cobalt', '#COBALT -t 00:10:00', 600],
  ['cobalt', '#COBALT -n 2 -t 90', 5400],
  ['sge', '#$ -l h_rt=00:10:00', 600],
  ['sge', '#$ -l mem_free=1G,h_rt=90\n:\n#$ -l h_rt=80', 80],
] as const)('the walltime in a script for %s: %j', (name, directives, seconds) => {
  expect(
    queriesOf(name).walltimeOf(
      `#!/bin/bash -l\n${name === 'cobalt' ? '' : '# Job.\n'}${directives}\n\nset -euo pipefail\n`,
    ),
  ).toBe(seconds);
});

test.each(Object.values(targets))(
  'the walltime that $name writes is the one that is read',
  ({ queries, ...target }) => {
    if (queries === undefined) return;
    const allocation = { nodes: 1, exclusive: false, walltimeSeconds: 5400 };
    const [lines = []] = target.directives(job({ allocation }), target.defaultLauncher, site({ target: target.name }));
    const script = lines.map((line) => `${target.sentinel} ${target.formatDirective(line)}`).join('\n');
    expect(queries.walltimeOf(`#!/bin/bash\n${script}\n`)).toBe(5400);
  },
);

test('ids that name one job, and elements that are told together', () => {
  expect(sameJob('6[].pbs.site.org', '6[2].pbs')).toBe(true);
  expect(sameJob('0.pbs', '10.pbs')).toBe(false);
  expect(expandElements('0,2-6:2,9%3')).toEqual(['0', '2', '4', '6', '9']);
});
