import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fastGlob from 'fast-glob';
import { describe, expect, it, test } from 'vitest';
import { command, experiment } from '../../src/dsl/index.js';
import type { Event, SiteInput } from '../../src/ir/index.js';
import { readPbs as readAsQsub } from '../../src/rehearse/schedulers/pbs/directives.js';
import { pbsQueries } from '../../src/targets/pbs/queries.js';
import { compileFor, messagesOf, runtimeLines, scriptOf, textsOf } from './support/compile-experiment.js';
import { fixtures } from './support/compile-fixture.js';

const app = command('app');
const pbs = (more: Partial<SiteInput> = {}): SiteInput => ({ name: 'pbs', target: 'pbs', ...more });
const script = (...lines: string[]) => ['#!/bin/bash', '# Job.', ...lines, '', 'true'].join('\n');

/** Reads a script as qsub does; what it takes without a word and nobody means is a fault of ours. */
function readPbs(text: string) {
  const { doubts, ignored, ...job } = readAsQsub(text);
  expect([...doubts, ...ignored]).toEqual([]);
  return job;
}

describe('the reader of these tests', () => {
  it.each([
    ['a constraint that is a word', '#PBS -l select=1:ncpus=1:fast'],
    ['nodes beside select', '#PBS -l select=1:ncpus=1\n#PBS -l nodes=2'],
    ['a time in a chunk', '#PBS -l select=1:walltime=5'],
    ['an option twice', '#PBS -q a\n#PBS -q b'],
    ['a comment behind', '#PBS -q a # mine'],
    ['a list of elements', '#PBS -J 1,3'],
  ])('refuses %s', (_, lines) => {
    expect(() => readPbs(script(...lines.split('\n')))).toThrow();
  });
});

describe('PBS', () => {
  it('reads chunks, a name and a place from every job of the fixtures', () => {
    const patterns = fixtures.map(({ folder }) => join(fastGlob.escapePath(folder), 'expected/pbs/jobs/*.pbs'));
    const files = fastGlob.sync(patterns);
    expect(files.length).toBeGreaterThan(25);
    for (const file of files) {
      const text = readFileSync(file, 'utf8');
      const { chunks, options, resources } = readPbs(text);
      expect(chunks.length, file).toBeGreaterThan(0);
      expect(options['N'], file).toMatch(/^[A-Za-z]/);
      expect(resources['place'], file).toMatch(/^scatter(:excl)?$/);
      if (resources['walltime'] !== undefined) expect(pbsQueries.walltimeOf(text), file).toBeGreaterThan(0);
    }
  });

  it('takes a constraint as resources of each chunk, and no other', () => {
    const constrained = (constraint: string) =>
      experiment('e').batch({ constraint, nodes: 2 }).model('m', app.nodes(2));
    const { chunks } = readPbs(scriptOf(compileFor('pbs', constrained('model=a100:cpu_type=milan')), 'e'));
    expect(chunks).toEqual([
      expect.objectContaining({ model: 'a100', cpu_type: 'milan' }),
      expect.objectContaining({ model: 'a100', cpu_type: 'milan' }),
    ]);
    for (const odd of ['fast', 'a&b', '[a*2]', 'model=', 'a=b:c', 'a=b+c=d']) {
      expect(messagesOf('pbs', constrained(odd))).toEqual([
        `PLAN1002 job 'e': pbs reads a constraint as resources of a chunk, and '${odd}' is none`,
      ]);
    }
  });

  it('is asked for the CPUs that a launch needs of a whole node, of which the site does not say how many it has', () => {
    const workflow = experiment('e')
      .batch({ exclusive: true })
      .ensemble('s', app.tasks(8).nodes(2).cpusPerTask(3))
      .replicas(50);
    const whole = scriptOf(compileFor('pbs', workflow), 'e');
    expect(readPbs(whole).chunks).toEqual(Array(2).fill({ ncpus: '12', mpiprocs: '12' }));
    expect(readPbs(whole).resources['place']).toBe('scatter:excl');
    expect(whole).toContain('SIMWRIGHT_CPUS_PER_NODE=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)');
    const counted = scriptOf(compileFor(pbs({ node: { cores: 64 } }), workflow), 'e');
    expect(readPbs(counted).chunks[0]).toEqual({ ncpus: '64', mpiprocs: '64' });
  });

  it('is not asked for the threads of a task: each launch has its own', () => {
    const with4 = (set: Record<string, string>) =>
      scriptOf(compileFor('pbs', experiment('e').batch({ directives: { set } }).model('m', app)), 'e');
    expect(with4({})).toContain('\nunset OMP_NUM_THREADS\n');
    expect(with4({ '-v': 'OMP_NUM_THREADS=4' })).not.toContain('unset OMP_NUM_THREADS');
    expect(scriptOf(compileFor('slurm', experiment('e').model('m', app)), 'e')).not.toContain('OMP_NUM_THREADS');
  });

  it('tells the CPUs of a node, but for a chunk with threads', () => {
    const cpus = (select: string) => {
      const open = experiment('e')
        .batch({ directives: { set: { '-l select': select } } })
        .model('m', app);
      return /^SIMWRIGHT_CPUS_PER_NODE=(.*)$/m.exec(scriptOf(compileFor('pbs', open), 'e'))?.[1];
    };
    expect(cpus('2:ncpus=8')).toBe('$NCPUS');
    expect(cpus('2:ncpus=8:mpiprocs=2:ompthreads=4')).toBe('8');
    expect(cpus('1:ncpus=8+1:ncpus=4:ompthreads=4')).toBe('$NCPUS');
  });
});

describe('binding of tasks by Open MPI', () => {
  const line = (site: SiteInput, batch: Parameters<ReturnType<typeof experiment>['batch']>[0], tasks = 4) => {
    const model = command('app').tasks(tasks).nodes(2).launcher('mpirun');
    return runtimeLines(scriptOf(compileFor(site, experiment('e').batch(batch).model('m', model)), 'e'))[0];
  };
  it('is left out where other jobs, or elements of an array, may run on the node', () => {
    expect(line(pbs(), {})).toContain('--bind-to none');
    expect(line(pbs({ node: { cores: 8 } }), {})).toContain('--bind-to none');
    const array = experiment('e').ensemble('s', command('app').tasks(2).nodes(2).launcher('mpirun')).replicas(3);
    const element = scriptOf(compileFor('pbs', array.batch({ mode: 'array' })), 's');
    expect(runtimeLines(element)[0]).toContain('--bind-to none');
  });
  it('is there where a job has whole nodes', () => {
    for (const at of [
      line(pbs(), { exclusive: true }),
      line(pbs({ directives: { set: { '-l place': 'scatter:exclhost' } } }), {}),
      line(pbs({ node: { cores: 2 } }), {}),
      line({ name: 's', target: 'slurm', directives: { set: { '--exclusive': '' } } }, {}),
    ]) {
      expect(at).toMatch(/:PE=1\b/);
    }
  });
});

describe('what a job waits for', () => {
  const needs = (
    target: 'slurm' | 'pbs' | 'lsf' | 'cobalt',
    event: Event,
    of: 'alone' | 'beside' | 'array' | 'separate',
  ) => {
    const time = { walltime: '00:10:00' };
    const first = experiment('e').ensemble('a', app).replicas(3);
    const open = {
      alone: () => experiment('e').model('a', app).batch(time),
      beside: () => experiment('e').batch(time).model('a', app).model('b', app),
      array: () => first.batch({ ...time, mode: 'array' }),
      separate: () => first.batch({ ...time, mode: 'separate' }),
    }[of]();
    const { plan } = compileFor(
      target,
      (open as ReturnType<typeof first.batch>).model('z', app).after('a', event).batch(time),
    );
    return plan.jobs.find(({ name }) => name === 'z')?.after[0]?.event;
  };
  test.each(['slurm', 'pbs', 'lsf'] as const)('of %s', (target) => {
    for (const event of ['started', 'ended', 'completed', 'failed'] as const) {
      expect(needs(target, event, 'alone')).toBe(event);
      const decided = event === 'started' ? 'started' : 'ended';
      // A neighbour's failure is the job's.
      expect(needs(target, event, 'beside')).toBe(decided);
      const isKnown = event === 'completed' && target !== 'pbs';
      expect(needs(target, event, 'array')).toBe(isKnown ? 'completed' : decided);
      expect(needs(target, event, 'separate')).toBe(event === 'completed' ? 'completed' : decided);
    }
  });
  it('is all that Cobalt can say', () => {
    expect(needs('cobalt', 'completed', 'beside')).toBe('completed');
  });
  it('is the end of a member of an array', () => {
    const array = experiment('e').ensemble('a', app).replicas(3).batch({ mode: 'array' });
    const { plan } = compileFor('slurm', array.model('z', app).after('a_1').batch({}));
    expect(plan.jobs.at(-1)?.after).toEqual([{ job: 'a', event: 'ended' }]);
  });
  it('is the end throughout a chain of which the last waits for the end: PBS would never start it', () => {
    const chain = experiment('e')
      .model('a', app)
      .batch({})
      .model('b', app)
      .after('a')
      .batch({})
      .model('c', app)
      .after('b', 'ended')
      .batch({});
    expect(compileFor('slurm', chain).plan.jobs.map(({ after }) => after[0]?.event)).toEqual([
      undefined,
      'completed',
      'ended',
    ]);
    expect(textsOf(compileFor('pbs', chain))['submit.sh']).not.toMatch(/afterok|afternotok/);
  });
});
