import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { command, experiment } from '../../src/dsl/index.js';
import { readCobalt } from '../../src/rehearse/schedulers/cobalt/directives.js';
import { cobaltQueries } from '../../src/targets/cobalt/queries.js';
import { compileFor, messagesOf, scriptOf } from './support/compile-experiment.js';
import { fixtures } from './support/compile-fixture.js';

/** Options of a script as qsub reads them; what it takes without a word and nobody means is a fault of ours. */
function cobaltOptions(script: string) {
  const { options, doubts, ignored } = readCobalt(script);
  expect([...doubts, ...ignored]).toEqual([]);
  return options;
}

const lines = (...below: string[]) => ['#!/bin/bash', ...below, 'true'].join('\n');

describe('the reader of these tests', () => {
  it.each([
    ['a comment first', lines('# Job a.', '#COBALT -n 1', '#COBALT -t 10')],
    ['an empty line first', lines('', '#COBALT -n 1', '#COBALT -t 10')],
    ['no walltime', lines('#COBALT -n 1')],
    ['quotes', lines('#COBALT -n 1 -t 10', '#COBALT --attrs "a b"')],
    ['an option of another scheduler', lines('#COBALT -n 1 -t 10 --nodes=2')],
  ])('refuses %s', (_, script) => {
    expect(() => cobaltOptions(script)).toThrow();
  });
});

describe('Cobalt', () => {
  const scripts = fixtures.flatMap(({ name, folder }) => {
    const jobs = join(folder, 'expected/cobalt/jobs');
    const found = folder === '' ? [] : readdirSync(folder, { recursive: true }).map(String);
    return found
      .filter((path) => path.startsWith('expected/cobalt/jobs/'))
      .map((path) => [name, readFileSync(join(jobs, path.slice('expected/cobalt/jobs/'.length)), 'utf8')] as const);
  });

  it('reads the size, the time and the name of every job of the fixtures', () => {
    expect(scripts.length).toBeGreaterThan(10);
    for (const [name, script] of scripts) {
      const options = cobaltOptions(script);
      expect(options, name).toMatchObject({ '--jobname': expect.stringMatching(/^\S+$/) });
      expect(options['--outputprefix'], name).toBe(`logs/${options['--jobname']}`);
      // Status and lock ask our own reader.
      expect(cobaltQueries.walltimeOf(script), name).toBeGreaterThan(0);
    }
  });

  it('reads what a workflow and its site say', () => {
    const workflow = experiment('job')
      .batch({ walltime: '01:30:00', nodes: 2, account: 'abc', queue: 'long', constraint: 'mcdram=cache:numa=quad' })
      .model('m', command('app').tasks(2).nodes(2));
    const site = { name: 'theta', target: 'cobalt', directives: { set: { '--attrs': 'filesystems=a,b' } } } as const;
    expect(cobaltOptions(scriptOf(compileFor(site, workflow), 'job'))).toMatchObject({
      '--time': '01:30:00',
      '--nodecount': '2',
      '--project': 'abc',
      '--queue': 'long',
      '--attrs': 'filesystems=a,b',
    });
  });

  it('is told nothing that it would read as several words, and no job without a walltime', () => {
    const app = command('app');
    const split = experiment('job').batch({ walltime: '01:00:00', constraint: 'a b', account: "it's" }).model('m', app);
    expect(messagesOf('cobalt', split)).toEqual([
      "PLAN1002 job 'job': cobalt would read the 'a b' of --attrs as several words",
    ]);
    const endless = experiment('job').model('m', app);
    expect(messagesOf('cobalt', endless)).toEqual(["PLAN1002 job 'job': cobalt takes no job without a walltime"]);
    for (const flag of ['-t', '--time']) {
      const site = { name: 'theta', target: 'cobalt', directives: { set: { [flag]: 30 } } } as const;
      expect(cobaltOptions(scriptOf(compileFor(site, endless), 'job'))).toMatchObject({ '--time': '30' });
    }
  });
});
