import { expect, test } from 'vitest';
import { command, experiment } from '../../src/index.js';
import type { AuthoredExperiment } from '../../src/ir/index.js';
import { compileFor, scriptOf } from './support/compile-experiment.js';

/*
 * Sizes that only a walk over what there is can take: with one over pairs, or over paths, these end at the limit of time. How long they
 * take is measured in bench/compile-scale.mjs.
 */

const run = command('solve').tasks(2).walltime('00:01:00');

test('a chain of 1,000 .after() takes as long as all of them, on the CPUs of one', () => {
  let built = experiment<string>('chain').model('m0', run);
  for (let i = 1; i < 1000; i++) built = built.model(`m${i}`, run).after(`m${i - 1}`);
  const [job] = compileFor('slurm', built).plan.jobs;
  expect(job?.allocation).toMatchObject({ nodes: 1, cpusPerNode: 2, walltimeSeconds: 60 + 1000 * 60 });
}, 180_000);

test('diamonds, one after the other: as many paths as 2^500', () => {
  let built = experiment<string>('diamonds').model('d0', run);
  for (let i = 1; i <= 500; i++) {
    built = built
      .model(`a${i}`, run)
      .after(`d${i - 1}`)
      .model(`b${i}`, run)
      .after(`d${i - 1}`)
      .model(`d${i}`, run)
      .after(`a${i}`)
      .after(`b${i}`);
  }
  const [job] = compileFor('slurm', built).plan.jobs;
  expect(job?.allocation).toMatchObject({ cpusPerNode: 4, walltimeSeconds: 60 + 1001 * 60 });
}, 180_000);

test('5,000 models in one job, 5,000 jobs', () => {
  const many = (each: (builder: ReturnType<typeof start>) => ReturnType<typeof start>): AuthoredExperiment => {
    let built = start();
    for (let i = 0; i < 5000; i++) built = each(built.model(`m${i}`, run));
    return built;
  };
  const start = () => experiment<string>('many').model('first', run);
  const one = compileFor(
    'slurm',
    many((builder) => builder),
  );
  expect(one.plan.jobs).toHaveLength(1);
  expect(scriptOf(one, 'many').match(/^runtime launch /gm)).toHaveLength(5001);
  const jobs = compileFor(
    'slurm',
    many((builder) => builder.batch({ nodes: 1, walltime: '00:10:00' })),
  );
  expect(jobs.plan.jobs).toHaveLength(5001);
}, 360_000);

test('2,000 users of GPUs, each of which reads keys of one service that reads theirs', () => {
  const names = Array.from({ length: 2000 }, (_, index) => `u${index}`);
  const gpu = command('solve').gpusPerNode(1).walltime('00:01:00');
  let built = experiment<string>('service')
    .batch({ nodes: 100 })
    .orchestrator()
    .model('service', gpu)
    .registerIncomingEntity(...(names as [string, ...string[]]));
  for (const name of names) built = built.model(name, gpu).registerIncomingEntity('service');
  const [job] = compileFor('slurm', built).plan.jobs;
  expect(job?.allocation).toMatchObject({ nodes: 100, gpusPerNode: 21 });
}, 180_000);
