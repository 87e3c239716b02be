import { describe, expect, it } from 'vitest';
import type { LauncherName, Site, TargetName } from '../../src/ir/index.js';
import { editDirectives, jobName } from '../../src/targets/directives.js';
import { targets } from '../../src/targets/registry.js';
import type { JobRequest } from '../../src/targets/target.js';
import { allocation, job, site } from './support.js';

/** Directive lines without their sentinel, components parted by `---`. */
function lines(name: TargetName, of: JobRequest, at: Site = site({ target: name }), launcher?: LauncherName): string[] {
  const target = targets[name];
  return editDirectives(
    target,
    target.directives(of, launcher ?? target.defaultLauncher, at),
    at.directives,
    of.directives,
  ).flatMap((list, index) => [...(index === 0 ? [] : ['---']), ...list.map((one) => target.formatDirective(one))]);
}

const mail = { to: 'a@b.org', events: ['begin', 'end', 'fail'] as ('begin' | 'end' | 'fail')[] };
const rich = job({
  allocation: allocation({
    nodes: 3,
    gpusPerNode: 2,
    memoryPerNodeMiB: 2048,
    walltimeSeconds: 90_000,
    account: 'acc',
    queue: 'long',
    constraint: 'fast',
    hosts: ['n1', 'n2'],
  }),
  mail,
});

describe('walltimes', () => {
  const cases: readonly [number, Partial<Record<TargetName, string>>][] = [
    [90, { slurm: '--time=00:01:30', pbs: '-l walltime=00:01:30', lsf: '-W 00:02', cobalt: '-t 00:01:30' }],
    [86_400, { slurm: '--time=1-00:00:00', pbs: '-l walltime=24:00:00', lsf: '-W 24:00', cobalt: '-t 24:00:00' }],
    [90_000, { slurm: '--time=1-01:00:00', pbs: '-l walltime=25:00:00', lsf: '-W 25:00', cobalt: '-t 25:00:00' }],
    [360_000, { slurm: '--time=4-04:00:00', pbs: '-l walltime=100:00:00', lsf: '-W 100:00', cobalt: '-t 100:00:00' }],
  ];
  it.each(cases)('of %i seconds', (walltimeSeconds, forms) => {
    for (const [name, form] of Object.entries(forms)) {
      expect(lines(name as TargetName, job({ allocation: allocation({ walltimeSeconds }) }))).toContain(form);
    }
  });
});

describe('slurm', () => {
  it('writes everything a job can ask for', () => {
    const all = { ...rich, allocation: { ...rich.allocation, qos: 'high', reservation: 'r1', excludeHosts: ['n9'] } };
    expect(lines('slurm', { ...all, array: { size: 10, perElement: 1, maxConcurrent: 3 } })).toEqual([
      '--job-name=flow',
      '--output=logs/flow-%A_%a.out',
      '--open-mode=append',
      '--mail-type=BEGIN,END,FAIL',
      '--mail-user=a@b.org',
      '--account=acc',
      '--partition=long',
      '--qos=high',
      '--reservation=r1',
      '--constraint=fast',
      '--time=1-01:00:00',
      '--nodes=3',
      '--ntasks-per-node=4',
      '--gpus-per-node=2',
      '--mem=2048M',
      '--nodelist=n1,n2',
      '--exclude=n9',
      '--array=0-9%3',
    ]);
  });
  it('asks for GPUs in the dialect of the site', () => {
    expect(lines('slurm', rich, site({ target: 'slurm', gpuDialect: 'gres' }))).toContain('--gres=gpu:2');
    expect(lines('slurm', rich, site({ target: 'slurm', gpuDialect: 'none' })).join(' ')).not.toMatch(/gpu|gres/);
  });
  it('parts components, with what concerns the job in the first', () => {
    const het = job({
      mail,
      allocation: allocation({ walltimeSeconds: 600 }),
      components: [allocation({ nodes: 2, exclusive: true, constraint: 'gpu', gpusPerNode: 4, walltimeSeconds: 600 })],
    });
    expect(targets.slurm.componentSeparator).toBe('#SBATCH hetjob');
    expect(lines('slurm', het)).toEqual([
      '--job-name=flow',
      '--output=logs/flow-%j.out',
      '--open-mode=append',
      '--mail-type=BEGIN,END,FAIL',
      '--mail-user=a@b.org',
      '--time=00:10:00',
      '--nodes=1',
      '--ntasks-per-node=4',
      '---',
      '--constraint=gpu',
      '--time=00:10:00',
      '--nodes=2',
      '--ntasks-per-node=4',
      '--exclusive',
      '--gpus-per-node=4',
    ]);
  });
});

describe('pbs', () => {
  it('writes everything a job can ask for, named hosts as chunks of their own', () => {
    expect(lines('pbs', rich)).toEqual([
      '-N flow',
      '-j oe',
      '-o logs/',
      '-m abe',
      '-M a@b.org',
      '-A acc',
      '-q long',
      '-l select=1:ncpus=4:mpiprocs=4:ngpus=2:mem=2048mb:fast:host=n1+1:ncpus=4:mpiprocs=4:ngpus=2:mem=2048mb:fast:host=n2+1:ncpus=4:mpiprocs=4:ngpus=2:mem=2048mb:fast',
      '-l place=scatter',
      '-l walltime=25:00:00',
    ]);
  });
  it('writes nodes of another kind as further chunks', () => {
    const het = job({ components: [allocation({ nodes: 2, gpusPerNode: 1 })], array: { size: 5, perElement: 2 } });
    expect(lines('pbs', het)).toContain('-l select=1:ncpus=4:mpiprocs=4+2:ncpus=4:mpiprocs=4:ngpus=1');
    expect(lines('pbs', het)).toContain('-J 0-4');
  });
  it('takes a reservation for a queue', () => {
    expect(lines('pbs', job({ allocation: allocation({ queue: 'q', reservation: 'R12' }) }))).toContain('-q R12');
  });
});

describe('lsf', () => {
  it('writes everything a job can ask for', () => {
    const all = { ...rich, allocation: { ...rich.allocation, excludeHosts: ['n9'], exclusive: true } };
    expect(lines('lsf', { ...all, array: { size: 10, perElement: 1, maxConcurrent: 3 } }, undefined, 'mpirun')).toEqual(
      [
        '-J "flow[1-10]%3"',
        '-o logs/flow-%J_%I.out',
        '-B',
        '-N',
        '-u a@b.org',
        '-P acc',
        '-q long',
        '-W 25:00',
        // Two hosts by name, and one more.
        `-R "8*{select[hname=='n1' || hname=='n2'] rusage[mem=2048MB,ngpus_physical=2] span[ptile=4]} + 4*{select[(fast) && hname!='n9'] rusage[mem=2048MB,ngpus_physical=2] span[ptile=4]}"`,
      ],
    );
  });
  it('writes one requirement, and all hosts where each node has a name', () => {
    const two = { ...rich.allocation, nodes: 2, excludeHosts: ['n9'], exclusive: true, walltimeSeconds: 60 };
    expect(lines('lsf', job({ allocation: two }), undefined, 'mpirun').slice(4)).toEqual([
      '-W 00:01',
      '-m "n1 n2"',
      '-n 8',
      `-R "select[(fast) && hname!='n9'] rusage[mem=2048MB] span[ptile=4]"`,
      '-x',
      '-gpu num=2/host',
    ]);
    const set = { '-R': 'span[hosts=1] same[model]', '-R rusage': 'mem=1' };
    const edited = lines('lsf', job({ allocation: two }), site({ target: 'lsf', directives: { set } }), 'mpirun');
    expect(edited.filter((line) => line.startsWith('-R'))).toEqual([
      `-R "select[(fast) && hname!='n9'] rusage[mem=1] span[hosts=1] same[model]"`,
    ]);
  });
  it('counts nodes where jsrun launches', () => {
    const at = site({ target: 'lsf', directives: { set: { '-alloc_flags': 'gpumps smt4' } } });
    expect(lines('lsf', job({ allocation: allocation({ nodes: 2, gpusPerNode: 6 }) }), at)).toEqual([
      '-J flow',
      '-o logs/flow-%J.out',
      '-nnodes 2',
      '-alloc_flags "gpumps smt4"',
    ]);
  });
  it('writes nodes of several kinds as a compound requirement', () => {
    const het = job({ components: [allocation({ nodes: 2, constraint: 'gpu', memoryPerNodeMiB: 8 })] });
    expect(lines('lsf', het, undefined, 'mpirun')).toContain(
      '-R "4*{span[ptile=4]} + 8*{select[gpu] rusage[mem=8MB] span[ptile=4]}"',
    );
  });
});

describe('cobalt', () => {
  it('writes everything a job can ask for', () => {
    expect(lines('cobalt', rich)).toEqual([
      '--jobname flow',
      '-O logs/flow',
      '-M a@b.org',
      '-A acc',
      '-q long',
      '-t 25:00:00',
      '-n 3',
      '--attrs fast:location=n1,n2',
    ]);
  });
  it('says what Cobalt does not know', () => {
    expect(targets.cobalt.capabilities).toMatchObject({ jobArrays: false, heterogeneousJobs: false, gpus: false });
    expect(
      targets.cobalt.dependency([
        { id: '$a', event: 'completed' },
        { id: '$b', event: 'completed' },
      ]),
    ).toEqual(['--dependencies', '$a:$b']);
  });
});

describe('edits of directives', () => {
  const at = (directives: { drop?: string[]; set?: Record<string, string | number> }, target: TargetName = 'slurm') =>
    site({ target, directives });
  it('drop, replace and add', () => {
    expect(lines('slurm', job(), at({ drop: ['--output'], set: { '--nodes': 7, '--requeue': '' } }))).toEqual([
      '--job-name=flow',
      '--open-mode=append',
      '--nodes=7',
      '--ntasks-per-node=4',
      '--requeue',
    ]);
  });
  it('come from the site, then from the user', () => {
    const mine = job({ directives: { drop: ['--qos'], set: { '--licenses': 'x:2' } } });
    const edited = lines('slurm', mine, at({ set: { '--qos': 'low', '--licenses': 'x:1' } }));
    expect(edited).toContain('--licenses=x:2');
    expect(edited.join(' ')).not.toContain('--qos');
  });
  it('name one of a flag that stands for many', () => {
    const edited = lines(
      'pbs',
      job({ allocation: allocation({ walltimeSeconds: 60 }) }),
      at({ drop: ['-l walltime'], set: { '-l place': 'pack', '-l filesystems': 'home:eagle' } }, 'pbs'),
    );
    expect(edited).toEqual([
      '-N flow',
      '-j oe',
      '-o logs/',
      '-l select=1:ncpus=4:mpiprocs=4',
      '-l place=pack',
      '-l filesystems=home:eagle',
    ]);
    expect(lines('lsf', job(), at({ set: { '-R span': 'hosts=1' } }, 'lsf'), 'mpirun')).toContain('-R "span[hosts=1]"');
  });
  it('reach every component, but for what concerns the job', () => {
    const het = job({ components: [allocation()] });
    const edited = lines('slurm', het, at({ set: { '--hint': 'nomultithread', '--mail-user': 'x@y' } }));
    expect(edited.filter((line) => line === '--hint=nomultithread')).toHaveLength(2);
    expect(edited.filter((line) => line === '--mail-user=x@y')).toHaveLength(1);
  });
});

describe('edits by another name of an option', () => {
  const sized = job({ allocation: allocation({ nodes: 2, memoryPerNodeMiB: 8, gpusPerNode: 2, queue: 'q' }) });
  const edited = (target: TargetName, set: Record<string, string | number>, ...drop: string[]) =>
    lines(target, sized, site({ target, directives: { drop, set } }), target === 'lsf' ? 'mpirun' : undefined);

  it('take the place of ours, in the form that sbatch reads', () => {
    const set = { '-N': 3, '-p': 'debug', '-C': 'P100', '-S': 8, '-H': '' };
    expect(edited('slurm', set)).toEqual([
      '--job-name=flow',
      '--output=logs/flow-%j.out',
      '--open-mode=append',
      '-p debug',
      '-N 3',
      '--ntasks-per-node=4',
      '--gpus-per-node=2',
      '--mem=8M',
      '-C P100',
      '-S 8',
      '-H',
    ]);
    expect(edited('slurm', { '-C P100': '' })).toContain('-C P100');
  });
  it('take away what may not stand beside them', () => {
    expect(edited('slurm', { '--mem-per-cpu': '2G', '--gres': 'gpu:a100:2' }).slice(-2)).toEqual([
      '--gres=gpu:a100:2',
      '--mem-per-cpu=2G',
    ]);
    expect(edited('slurm', { '--gres': 'nvme:1' })).toContain('--gpus-per-node=2');
    expect(edited('lsf', { '-nnodes': 2 }).filter((line) => /^-n/.test(line))).toEqual(['-nnodes 2']);
  });
  it('of PBS: the old words for nodes, and several resources in one', () => {
    expect(edited('pbs', { '-l nodes': '2:ppn=2' }).filter((line) => line.startsWith('-l'))).toEqual([
      '-l nodes=2:ppn=2',
    ]);
    expect(edited('pbs', { '-l': 'select=4:ncpus=1,walltime=00:05:00' }).slice(-3)).toEqual([
      '-l select=4:ncpus=1',
      '-l place=scatter',
      '-l walltime=00:05:00',
    ]);
  });
  it('of Cobalt', () => {
    expect(edited('cobalt', { '--time': 30, '--nodecount': 8, '--queue': 'debug' })).toEqual([
      '--jobname flow',
      '-O logs/flow',
      '--queue debug',
      '--nodecount 8',
      '--time 30',
    ]);
  });
  it('drop, and the later edit replaces the earlier', () => {
    expect(edited('slurm', {}, '-N', '-p').join(' ')).not.toMatch(/nodes=2|partition/);
    const mine = { ...sized, directives: { drop: [], set: { '-q': 'low' } } };
    const both = lines('slurm', mine, site({ target: 'slurm', directives: { set: { '--qos': 'high' } } }));
    expect(both.filter((line) => /qos|-q /.test(line))).toEqual(['-q low']);
  });
  it('are of the job as a whole, by any name', () => {
    const het = job({ components: [allocation()], directives: { drop: [], set: { '-J': 'mine', '-C': 'fast' } } });
    expect(lines('slurm', het).filter((line) => /job-name|-J|-C/.test(line))).toEqual([
      '-J mine',
      '-C fast',
      '-C fast',
    ]);
  });
});

describe('job names', () => {
  it('are in the subset that every scheduler takes', () => {
    expect(jobName('flow_1.a-b')).toBe('flow_1.a-b');
    expect(jobName('9 lives[é]')).toBe('j9_lives___');
    expect(jobName('x'.repeat(80))).toHaveLength(63);
  });
});
