import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { siteFields } from '../../src/ir/index.js';
import { root, simwright as simwrightIn } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace();
});

const write = (path: string, text: string): void => workspace.write(path, text);
const workflow = (chain: string): void => workspace.workflow(`experiment('study')${chain}`);
async function simwright(...words: readonly string[]) {
  const end = await simwrightIn({ cwd: workspace.cwd, env: { NO_COLOR: '1' } }, ...words);
  return { ...end, stdout: end.stdout.replace(/\n$/, ''), stderr: end.stderr.replace(/\n$/, '') };
}

const sweep = `
  .ensemble('sweep', command('echo', '{args}').tasks(2).nodes(2).env({ LEVEL: 'high, or low' }))
  .params({ RE: [100, 400], NOTE: ['plain', 'with "quotes", comma\\nand line'] }, { asArgs: ['RE', 'NOTE'] })
  .batch({ nodes: 2, walltime: '00:30:00' })`;

describe('diff', () => {
  it('is nothing for a fresh folder, then shows lines, new and unwanted files', async () => {
    workflow(sweep);
    expect(await simwright('compile', 'workflow.ts', '--site', 'slurm')).toMatchObject({ exitCode: 0 });
    const fresh = await simwright('diff', 'workflow.ts', '--site', 'slurm');
    expect(fresh).toMatchObject({ exitCode: 0, stdout: '' });
    expect(fresh.stderr).toContain('is up to date');

    workflow(sweep.replace('00:30:00', '00:45:00').replace("'sweep'", "'scan'"));
    const changed = await simwright('diff', 'workflow.ts', '--site', 'slurm');
    expect(changed.exitCode).toBe(1);
    expect(changed.stdout).toMatch(/^--- \/dev\/null\n\+\+\+ b\/jobs\/scan\.sbatch$/m);
    expect(changed.stdout).toMatch(/^--- a\/jobs\/sweep\.sbatch\n\+\+\+ \/dev\/null$/m);
    expect(changed.stdout).toMatch(/^-.*"walltimeSeconds": 1800/m);
    expect(changed.stdout).toMatch(/^\+.*"walltimeSeconds": 2700/m);

    const check = await simwright('compile', 'workflow.ts', '--site', 'slurm', '--check');
    expect(check.exitCode).toBe(1);
    expect(check.stderr).toMatch(/^\+.*"walltimeSeconds": 2700/m);

    const document = JSON.parse((await simwright('diff', 'workflow.ts', '--site', 'slurm', '--json')).stdout);
    expect(document).toMatchObject({ ok: false, added: ['jobs/scan.sbatch'], removed: ['jobs/sweep.sbatch'] });
  });

  it('refuses a folder that is not there', async () => {
    workflow(sweep);
    const end = await simwright('diff', 'workflow.ts', '--out', 'nowhere');
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain('error[CLI1001]: there is no folder');
  });
});

describe('members', () => {
  it('is a table, first axis slowest', async () => {
    workflow(sweep);
    const end = await simwright('members', 'workflow.ts', 'sweep');
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.stdout.split('\n')).toEqual([
      'INDEX  NAME      RE  NOTE',
      '    0  sweep_0  100  plain',
      '    1  sweep_1  100  with "quotes", comma\\nand line',
      '    2  sweep_2  400  plain',
      '    3  sweep_3  400  with "quotes", comma\\nand line',
    ]);
  });

  it('is CSV as RFC 4180 has it, and JSON with arguments', async () => {
    workflow(sweep);
    expect((await simwright('members', 'workflow.ts', 'sweep', '--csv', '--range', '3,0')).stdout).toBe(
      'index,name,RE,NOTE\n3,sweep_3,400,"with ""quotes"", comma\nand line"\n0,sweep_0,100,plain',
    );
    const document = JSON.parse((await simwright('members', 'workflow.ts', 'sweep', '--json')).stdout);
    expect(document).toMatchObject({ ok: true, entity: 'sweep', count: 4 });
    expect(document.members[1]).toEqual({
      index: 1,
      name: 'sweep_1',
      directory: 'run/sweep/sweep_1',
      params: { RE: 100, NOTE: 'with "quotes", comma\nand line' },
      args: ['--RE=100', '--NOTE=with "quotes", comma\nand line'],
    });
  });

  it('makes those asked for of a thousand million, and says how many more there are', async () => {
    workflow(`
  .ensemble('sweep', command('echo'))
  .params({ A: Array.from({ length: 1000 }, (_, i) => i), B: Array.from({ length: 1000 }, (_, i) => -i) }, { asArgs: ['A', 'B'] })
  .replicas(1000)`);
    const first = await simwright('members', 'workflow.ts', 'sweep');
    expect(first.stdout.split('\n')).toHaveLength(21);
    expect(first.stderr).toContain('and 999999980 more: --range 20-39');
    const last = await simwright(
      'members',
      'workflow.ts',
      'sweep',
      '--csv',
      '--range',
      '999998999-999999000,999999999',
    );
    expect(last.stdout.split('\n').slice(1)).toEqual([
      '999998999,sweep_999998999,999,-998',
      '999999000,sweep_999999000,999,-999',
      '999999999,sweep_999999999,999,-999',
    ]);
  });

  it.each([
    ['an unknown ensemble', ['sweap'], "did you mean 'sweep'?"],
    ['a member that is not there', ['sweep', '--range', '0-4'], 'indices go from 0 to 3'],
    ['a range backwards', ['sweep', '--range', '3-1'], "'3-1' is neither an index nor a range"],
    ['words', ['sweep', '--range', 'all'], "'all' is neither an index nor a range"],
  ])('refuses %s', async (_, args, text) => {
    workflow(sweep);
    const end = await simwright('members', 'workflow.ts', ...args);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain(text);
  });
});

describe('graph', () => {
  it.each([
    ['mermaid', /^flowchart LR\n {2}subgraph j0\["job sweep: 2 nodes"\]/],
    ['dot', /^digraph "study" \{/],
    ['svg', /^<svg [\s\S]*>sweep<\/text>[\s\S]*<\/svg>$/],
  ])('%s', async (format, expected) => {
    workflow(`${sweep}\n  .model('report', command('echo')).after('sweep')`);
    const end = await simwright('graph', 'workflow.ts', '--site', 'slurm', '--format', format);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.stdout).toMatch(expected);
  });

  it('refuses another format', async () => {
    workflow(sweep);
    expect(await simwright('graph', 'workflow.ts', '--format', 'png')).toMatchObject({ exitCode: 2, stdout: '' });
  });
});

describe('explain', () => {
  it('explains a code as it stands in an error, by its title at least', async () => {
    const end = await simwright('explain', 'error[tmpl1001]');
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.stdout).toMatch(/^TMPL1001: a tag without a value/);
  });

  it('suggests the nearest code', async () => {
    const end = await simwright('explain', 'TMPL101');
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain("did you mean 'TMPL1001'?");
  });

  it('lists all codes', async () => {
    expect((await simwright('explain')).stdout).toMatch(/^DSL1001 {3}a value of the wrong kind$/m);
  });
});

describe('site', () => {
  it('lists the built-in ones, and the machines of the catalogue with the day and page of their sources', async () => {
    const { stdout } = await simwright('site', 'list');
    const lines = stdout.split('\n');
    expect(lines.map((line) => line.split(/ +/).slice(0, 2).join(' ')).slice(0, 7)).toEqual([
      'SITE SCHEDULER',
      'local local',
      'slurm slurm',
      'pbs pbs',
      'lsf lsf',
      'cobalt cobalt',
      'sge sge',
    ]);
    expect(lines.find((line) => line.startsWith('frontier'))?.split(/ {2,}/)).toEqual([
      'frontier',
      'slurm',
      'srun',
      expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      'Frontier, Oak Ridge Leadership Computing Facility; https://docs.olcf.ornl.gov/systems/frontier_user_guide.html',
    ]);
  });

  it('shows why a machine is as it is, from where that is known, and what is left to the user', async () => {
    write(
      'account.json',
      '{ "extends": "frontier", "name": "account", "queues": { "extended": null }, "maxNodes": 8 }',
    );
    const { stdout } = await simwright('site', 'show', './account.json');
    const lines = stdout.split('\n');
    const below = (start: string) => lines[lines.findIndex((line) => line.startsWith(start)) + 1];
    expect(below('node.cores ')).toMatch(/^ {4}Low-noise Mode Layout: .* 56 are allocatable \[guide\]$/);
    // One reason for all that a queue says.
    expect(below('queues.batch.bins')).toMatch(/^queues\.batch\.maxJobs/);
    expect(below('queues.batch.maxJobs')).toMatch(/^ {4}Job Priority by Node Count: /);
    expect(below('maxNodes ')).toMatch(/^\S/);
    expect(stdout).not.toContain('extended Partition Policy');
    const end = lines.slice(lines.indexOf('Frontier, Oak Ridge Leadership Computing Facility'));
    expect(end.slice(1, 3)).toEqual([
      expect.stringMatching(/^Sources, read on \d{4}-\d\d-\d\d:$/),
      expect.stringContaining('[guide] Frontier User Guide: https://docs.olcf.ornl.gov/'),
    ]);
    expect(end).toContain('Left to you:');
    const { fields } = JSON.parse((await simwright('site', 'show', 'frontier', '--json')).stdout);
    expect(fields).toContainEqual({
      field: 'node.gpus',
      value: 8,
      from: 'own',
      fact: { page: 'guide', says: expect.stringContaining('eight GPUs'), at: 'node.gpus' },
    });
  });

  it('shows one as the JSON that a site file may be', async () => {
    const { site, fields } = JSON.parse((await simwright('site', 'show', 'slurm', '--json')).stdout);
    expect(site).toMatchObject({ name: 'slurm', nodeCommand: 'node' });
    expect(fields).toContainEqual({ field: 'nodeCommand', value: 'node', from: 'default' });
    write('shown.json', JSON.stringify(site));
    expect(await simwright('site', 'check', './shown.json', '--offline')).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('shows each value with where it comes from', async () => {
    write('base.json', '{ "name": "base", "target": "pbs", "node": { "cores": 64 }, "modules": ["a", "b"] }');
    write('ours.json', '{ "extends": "./base.json", "name": "ours", "queues": { "q": { "maxNodes": 2 } } }');
    const { stdout } = await simwright('site', 'show', './ours.json');
    const rows = stdout.split('\n').map((line) => line.split(/ {2,}/));
    for (const row of [
      ['FIELD', 'VALUE', 'FROM'],
      ['name', 'ours', 'own'],
      ['target', 'pbs', 'extends base.json'],
      ['launcher', 'mpiexec', 'default of pbs'],
      ['node.cores', '64', 'extends base.json'],
      ['node.threadsPerCore', '1', 'default'],
      ['modules', '["a","b"]', 'extends base.json'],
      ['queues.q.maxNodes', '2', 'own'],
      ['maxArraySize', '10000', 'default of pbs'],
      ['preamble', 'none', 'default'],
      ['engine', 'embedded', 'default'],
    ]) {
      expect(rows).toContainEqual(row);
    }
    // Nothing twice, and each field of the schema.
    const names = rows.map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of siteFields) {
      expect(names.some((one) => one === name || one?.startsWith(`${name}.`))).toBe(true);
    }
  });

  it('checks a file in TypeScript, and prints a job as this site has it', async () => {
    write(
      'site.ts',
      `import { defineSite } from 'simwright';\nexport default defineSite({ name: 'ours', target: 'slurm', node: { cores: 64 }, modules: ['nodejs/20'] });\n`,
    );
    const end = await simwright('site', 'check', './site.ts', '--offline');
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.stdout).toBe(
      'site ours is fine: slurm jobs, launched by srun\nworkflows are held to: 64 cores\nno verdict of the scheduler: not asked',
    );
    const { stdout } = await simwright('site', 'check', './site.ts', '--script');
    expect(stdout).toMatch(/^#!\/bin\/bash.*\n(#.*\n)*#SBATCH --job-name=trial$/m);
    expect(stdout).toContain('nodejs/20');
  });

  it.each([
    ['a field that is not one', '{ "name": "x", "target": "slurm", "module": [] }', 'SITE1002', 'module'],
    [
      'a launcher that the scheduler has not',
      '{ "name": "x", "target": "slurm", "launcher": "jsrun" }',
      'PLAN1002',
      'jsrun',
    ],
    ['no JSON', '{ "name": ', 'SITE1002', 'is no JSON'],
  ])('refuses %s', async (_, text, code, word) => {
    write('site.json', text);
    const end = await simwright('site', 'check', './site.json');
    expect(end).toMatchObject({ exitCode: 1, stdout: '' });
    expect(end.stderr).toContain(`error[${code}]`);
    expect(end.stderr).toContain(word);
    expect(end.stderr).not.toContain('trial-workflow');
  });
});

describe('a budget', () => {
  const jobs = `${sweep.replace("walltime: '00:30:00'", "walltime: '00:30:00', mode: 'array'")}
  .ensemble('post', command('true')).replicas(3).batch({ queue: 'half', walltime: '01:00:00', mode: 'separate' })`;
  beforeEach(() => {
    workflow(jobs);
    const queues = { half: { chargeFactor: 0.5, maxNodes: 4 }, full: { default: true } };
    write('site.json', JSON.stringify({ name: 'centre', target: 'slurm', queues }));
  });
  const site = ['--site', './site.json'];

  it('is held against the charge of all elements of arrays and all separate jobs', async () => {
    const { stdout } = await simwright('preview', 'workflow.ts', ...site);
    expect(stdout.split('\n')[0]).toBe('Experiment study on site centre: at most 7.00 node-hours, charged as 5.50');
    expect(stdout).toMatch(/^JOB +QUEUE +NODES +WALLTIME +NODE-HOURS +CHARGED +TIMES/m);
    expect(stdout).toMatch(/^sweep +full +2 +00:30:00 +4\.00 +4\.00 +4 /m);
    expect(stdout).toMatch(/^post +half +1 +01:00:00 +3\.00 +1\.50 +3 /m);
    const document = JSON.parse((await simwright('preview', 'workflow.ts', ...site, '--json')).stdout);
    expect(document).toMatchObject({ nodeHours: 7, chargedHours: 5.5 });
    expect(document.jobs[1]).toMatchObject({ queues: ['half'], nodeHours: 3, chargedHours: 1.5 });
  });

  it.each(['compile', 'check', 'preview'])('%s fails above it, and writes nothing', async (name) => {
    const flags = name === 'check' ? ['--no-types'] : [];
    const end = await simwright(name, 'workflow.ts', ...site, ...flags, '--budget', '5.4');
    expect(end.exitCode).toBe(1);
    expect(end.stderr).toContain(
      "error[QUEUE1002]: the jobs may be charged 5.50 node-hours, and the budget is 5.40 node-hours\n   hint: the dearest is 'sweep' with 4.00 node-hours",
    );
    expect(workspace.has('study.simwright')).toBe(false);
    expect(await simwright(name, 'workflow.ts', ...site, ...flags, '--budget', '5.5')).toMatchObject({ exitCode: 0 });
  });

  it('is held by submit from the folder alone', async () => {
    expect(await simwright('compile', 'workflow.ts', ...site)).toMatchObject({ exitCode: 0 });
    const end = await simwright('submit', 'study.simwright', '--budget', '5');
    expect(end.exitCode).toBe(1);
    expect(end.stderr).toContain('error[QUEUE1002]: the jobs may be charged 5.50 node-hours');
    expect(workspace.has('study.simwright/run')).toBe(false);
  });

  it('cannot be held by jobs without a walltime, and is a number', async () => {
    workflow(".model('m', command('true'))");
    const end = await simwright('check', 'workflow.ts', '--site', 'slurm', '--no-types', '--budget', '1');
    expect(end.exitCode).toBe(1);
    expect(end.stderr).toContain("error[QUEUE1002]: job 'study' has no walltime");
    for (const wrong of ['much', '-1', '1h']) {
      expect(await simwright('check', 'workflow.ts', '--budget', wrong)).toMatchObject({ exitCode: 2 });
    }
  });
});

describe('preview', () => {
  it('shows node-hours, members and environment', async () => {
    workflow(`${sweep.replace("walltime: '00:30:00'", "walltime: '00:30:00', mode: 'array', maxConcurrent: 2")}`);
    const end = await simwright('preview', 'workflow.ts', '--site', 'slurm');
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.stdout).toContain('Experiment study on site slurm: at most 4.00 node-hours');
    expect(end.stdout).toMatch(/^sweep +2 +00:30:00 +4\.00 +4 +- +sweep$/m);
    expect(end.stdout).toMatch(/^ENTITY .* ENVIRONMENT +STORES +AFTER$/m);
    expect(end.stdout).toContain('LEVEL=high, or low');
  });

  it('shows the inputs and outputs of ML models, with what their files tell of shapes and types', async () => {
    const models = join(root, 'test/model-files/models');
    const net = (name: string, file: string, options: string) =>
      `\n    .addMlModel('${name}', mlFile('${join(models, file)}'), { ${options} })`;
    workflow(
      `.orchestrator()\n  .model('m', command('true'))${net('net', 'exported.pt2', "backend: 'TORCH'")}${net('pair', 'scripted-pair.pt', "backend: 'TORCH'")}${net('old', 'traced.pt', "backend: 'TORCH'")}${net('tf', 'frozen.pb', "backend: 'TF', inputs: ['x'], outputs: ['Identity']")}`,
    );
    const end = await simwright('preview', 'workflow.ts', '--site', 'slurm');
    expect(end.stdout.slice(end.stdout.indexOf('ML MODEL '))).toBe(
      [
        'ML MODEL  FORMAT            INPUTS                   OUTPUTS',
        'net       exported program  x FLOAT [?, 4]           relu FLOAT [?, 2]',
        'pair      TorchScript       a, b, scale              tensor, tensor',
        'old       TorchScript       x FLOAT [3, 4] (traced)  tensor',
        'tf        TensorFlow graph  x FLOAT [?, 4]           Identity INT64',
      ].join('\n'),
    );
    const { stores } = JSON.parse((await simwright('preview', 'workflow.ts', '--site', 'slurm', '--json')).stdout);
    expect(stores[0].mlModels[0]).toEqual({
      name: 'net',
      backend: 'TORCH',
      device: 'CPU',
      format: 'ExportedProgram',
      inputs: [{ name: 'x', dtype: 'FLOAT', shape: [null, 4] }],
      outputs: [{ name: 'relu', dtype: 'FLOAT', shape: [null, 2] }],
    });
  });
});

describe('check', () => {
  const mistyped = `
  .model('first', command('echo'))
  .model('second', command('echo', '--steps=3'.length))
  .params({ A: 1 }, { strategie: 'step' })
  .after('frist')`;

  it('shows what TypeScript says beside our own problems, each place once', async () => {
    workflow(mistyped);
    const end = await simwright('check', 'workflow.ts');
    expect(end).toMatchObject({ exitCode: 1, stdout: '' });
    expect(end.stderr).toContain("did you mean 'first'?");
    expect(end.stderr.match(/--> workflow\.ts:7:/g)).toHaveLength(1);
  });

  it('finds what only types tell, and says where; --no-types leaves it', async () => {
    write(
      'workflow.ts',
      `import { command, experiment } from 'simwright';
import { steps } from './steps.js';

const count: string = steps;
export default experiment('study')
  .model('first', command('echo', count));
`,
    );
    write('steps.ts', `export const steps: number = '3';\n`);
    const end = await simwright('check', 'workflow.ts');
    expect(end).toMatchObject({ exitCode: 1, stdout: '' });
    expect(end.stderr).toContain(`error[TYPE1001]: Type 'string' is not assignable to type 'number'. (TS2322)
  --> steps.ts:1:14
  |
1 | export const steps: number = '3';
  |              ^^^^^`);
    expect(end.stderr).toContain('--> workflow.ts:4:7');
    expect(end.stderr).toContain('2 errors');
    expect(await simwright('check', 'workflow.ts', '--no-types')).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('says in words why a type allows no value', async () => {
    workflow(`
  .model('first', command('echo'))
  .colocate({ uds: true })
  .colocate({ uds: true })`);
    const document = JSON.parse((await simwright('check', 'workflow.ts', '--json')).stdout);
    expect(document).toMatchObject({ ok: false });
    expect(document.problems).toHaveLength(1);
    expect(document.problems[0].message).toMatch(/already has a colocated orchestrator/);
  });

  it("holds to the user's own tsconfig.json, and needs no types of Node", async () => {
    write(
      'workflow.ts',
      `import { readFileSync } from 'node:fs';
import { command, experiment } from 'simwright';

const text = readFileSync('package.json', 'utf8');
export default experiment('study').model('first', command('echo', process.env['HOME'] ?? text));
`,
    );
    expect(await simwright('check', 'workflow.ts')).toMatchObject({ exitCode: 0, stderr: '' });
    write(
      'tsconfig.json',
      `{ "compilerOptions": { "module": "nodenext", "strict": true, "noUnusedLocals": true, "types": [] } }\n`,
    );
    expect(await simwright('check', 'workflow.ts')).toMatchObject({ exitCode: 0, stderr: '' });
    write('workflow.ts', `${workspace.read('workflow.ts')}const unused = 1;\n`);
    const end = await simwright('check', 'workflow.ts');
    expect(end.exitCode).toBe(1);
    expect(end.stderr).toContain("'unused' is declared but its value is never read. (TS6133)");
  });
});
