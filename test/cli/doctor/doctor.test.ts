import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findOnPath } from '../../../src/runtime/assert/programs.js';
import { root, simwright } from '../../helpers/simwright.js';
import { Workspace } from '../../helpers/workspace.js';

const hasSlurm = findOnPath('sbatch', process.env['PATH']) !== undefined;

/** A machine that has these programs on its PATH, and others that print what they are given. */
function machine(workspace: Workspace, real: readonly string[], saying: Readonly<Record<string, string>> = {}) {
  mkdirSync(workspace.path('bin'));
  for (const name of real) {
    const path = findOnPath(name, process.env['PATH']);
    if (path !== undefined) symlinkSync(path, workspace.path('bin', name));
  }
  for (const [name, script] of Object.entries(saying)) {
    workspace.write(`bin/${name}`, `#!/bin/bash\n${script}\n`);
    chmodSync(workspace.path('bin', name), 0o755);
  }
  return { cwd: workspace.cwd, env: { PATH: workspace.path('bin') } };
}

describe('simwright doctor', { timeout: 180_000 }, () => {
  test('says how everything stands, and is content with a machine that has what it needs', async () => {
    const workspace = new Workspace();
    const end = await simwright(machine(workspace, ['bash', 'mpirun', 'mpiexec']), 'doctor', '--python', '/no/python');
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    const lines = end.stdout.split('\n');
    expect(lines).toContain(`ok       Node.js        ${process.versions.node}, ${process.execPath}`);
    expect(lines.filter((line) => line.startsWith('problem'))).toEqual([]);
    expect(end.stdout).toContain('warning  Python         /no/python does not run: there is no such program\n');
    expect(end.stdout).toContain('warning  ML frameworks  none: there is no /no/python\n');
    expect(end.stdout).toContain('ok       Scheduler      none: no sbatch, qsub or bsub on the PATH');
    expect(end.stdout).toMatch(/^ok {7}ONNX Runtime {3}[\d.]+ runs models on CPU/m);
    expect(lines.at(-2)).toMatch(/^0 problems, \d warnings?$/);
  });

  test("says of a site's GPUs by AMD that ONNX models run on them in Python", async () => {
    const workspace = new Workspace();
    workspace.write('site.json', '{ "name": "s", "target": "slurm", "node": { "gpus": 8, "gpuMaker": "amd" } }');
    const place = machine(workspace, ['bash', 'mpirun']);
    const end = await simwright(place, 'doctor', '--site', './site.json', '--python', '/no/python');
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.stdout).toMatch(
      /^ok {7}ONNX Runtime {3}[\d.]+ runs models on the CPU; on the site's GPUs, which AMD makes, they run in Python$/m,
    );
    expect(end.stdout).toContain("install onnxruntime-rocm in the site's Python");
  });

  test('a machine without bash has a problem, and the exit code says so', async () => {
    const end = await simwright(machine(new Workspace(), []), 'doctor', '--json');
    expect(end.exitCode).toBe(1);
    const { ok, findings, facts } = JSON.parse(end.stdout);
    expect(ok).toBe(false);
    expect(findings.filter((one: { verdict: string }) => one.verdict === 'problem')).toEqual([
      { topic: 'bash', verdict: 'problem', message: 'is not on the PATH', advice: 'put a newer bash on the PATH' },
    ]);
    expect(facts).toMatchObject({
      node: { version: process.versions.node },
      scheduler: null,
      launchers: { found: {} },
      onnxRuntime: { providers: ['CPU'] },
    });
  });

  test.skipIf(!hasSlurm)('a Slurm that does not answer is a problem', async () => {
    const workspace = new Workspace();
    const place = machine(workspace, ['bash', 'sbatch', 'scontrol', 'sinfo', 'sacct', 'srun']);
    const end = await simwright({ ...place, env: { ...place.env, SLURM_CONF: '/no/slurm.conf' } }, 'doctor');
    expect(end.exitCode).toBe(1);
    expect(end.stdout).toMatch(/^problem {2}Scheduler {6}slurm( [\d.]+)? does not answer: /m);
  });

  test('tells the frameworks of the Python that stores of a site run models with', async () => {
    const workspace = new Workspace();
    const place = machine(workspace, ['bash']);
    // The program itself: what is first on the PATH may be a script that looks for it.
    const real = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
    workspace.write(
      'ml/python',
      `#!/bin/sh\nPYTHONPATH=$PYTHONPATH:${workspace.path('packages')} exec ${real} -S "$@"\n`,
      0o755,
    );
    const installed = (name: string, version: string, file: string) => {
      workspace.write(`packages/${name}/__init__.py`, '');
      workspace.write(
        `packages/${file}-${version}.dist-info/METADATA`,
        `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
      );
    };
    const python = workspace.path('ml/python');
    workspace.write('site.json', JSON.stringify({ name: 'mine', target: 'local', python }));
    const line = async () => {
      const end = await simwright(place, 'doctor', '--site', 'site.json');
      return /^(\w+) +ML frameworks +(.*)\n(?: +→ (.*))?/m.exec(end.stdout)?.slice(1);
    };
    const none = `has none of onnxruntime, torch, tensorflow, ai-edge-litert`;
    expect(await line()).toEqual([
      'warning',
      expect.stringContaining(none),
      expect.stringContaining('python of the site'),
    ]);
    installed('torch', '2.9.0', 'torch');
    installed('numpy', '1.26.4', 'numpy');
    expect(await line()).toEqual([
      'ok',
      expect.stringMatching(
        /^torch 2\.9\.0 in \S+\/ml\/python \(Python [\d.]+\); it has no onnxruntime, no tensorflow, no ai-edge-litert$/,
      ),
      undefined,
    ]);
    const { facts } = JSON.parse((await simwright(place, 'doctor', '--site', 'site.json', '--json')).stdout);
    expect(facts.frameworks).toMatchObject({
      numpy: '1.26.4',
      frameworks: { TORCH: { package: 'torch', version: '2.9.0' }, TF: null },
    });
    installed('tensorflow', '2.3.1', 'tensorflow');
    expect(await line()).toEqual([
      'warning',
      expect.any(String),
      'install newer ones: TF needs tensorflow ≥ 2.4, TFLITE needs tensorflow ≥ 2.4',
    ]);
  });

  test('--write-site drafts a site that check and compile take, and overwrites nothing', async () => {
    const workspace = new Workspace();
    const place = machine(workspace, ['bash']);
    const drafted = await simwright(place, 'doctor', '--write-site', 'mine.ts');
    expect(drafted.exitCode).toBe(0);
    expect(drafted.stdout).toContain('wrote mine.ts; read it, then: simwright site check mine.ts\n');
    const checked = await simwright(workspace, 'site', 'check', 'mine.ts');
    expect(checked).toMatchObject({ exitCode: 0, stderr: '' });
    expect(checked.stdout).toContain('is fine: local jobs');
    const again = await simwright(place, 'doctor', '--write-site', 'mine.ts', '--json');
    expect(again.exitCode).toBe(1);
    expect(JSON.parse(again.stdout)).toMatchObject({
      problems: [{ code: 'OUT1001', message: 'mine.ts is there already' }],
    });
    expect((await simwright(place, 'doctor', '--write-site', 'mine.ts', '--force')).exitCode).toBe(0);
    const wrong = await simwright(place, 'doctor', '--write-site', 'mine.yaml');
    expect(wrong).toMatchObject({ exitCode: 2, stdout: '' });
    expect(wrong.stderr).toContain('error[CLI1001]: --write-site mine.yaml: a file that ends in .ts or .json');
  });

  test('a PBS cluster, by what its commands print', async () => {
    const server = { Server: { pbs01: { default_queue: 'workq', pbs_version: '23.06.06' } } };
    const queues = { Queue: { workq: { queue_type: 'Execution', resources_max: { walltime: '24:00:00' } } } };
    const node = { resources_available: { ncpus: 32, ngpus: 4, mem: '527907364kb' } };
    const workspace = new Workspace();
    const place = machine(workspace, ['bash'], {
      qsub: 'exit 1',
      qstat: `case $1 in -B) echo '${JSON.stringify(server)}' ;; -Q) echo '${JSON.stringify(queues)}' ;; esac`,
      pbsnodes: `echo '${JSON.stringify({ nodes: { n1: node, n2: node } })}'`,
      mpiexec: 'echo HYDRA build details:',
    });
    const end = await simwright(place, 'doctor', '--write-site', 'site.json', '--json');
    expect(end.exitCode).toBe(0);
    expect(JSON.parse(workspace.read('site.json'))).toEqual({
      name: 'pbs01',
      target: 'pbs',
      launcher: 'mpiexec',
      defaults: { queue: 'workq' },
      node: { cores: 32, gpus: 4, memoryMiB: 515_534 },
      queues: { workq: { maxWalltime: '24:00:00' } },
      maxNodes: 2,
    });
    const fixture = (name: string) => join(root, 'fixtures/workflows', name, 'workflow.ts');
    const compile = (name: string) =>
      simwright(workspace, 'compile', fixture(name), '--site', 'site.json', '--out', name);
    expect(await compile('colocated-uds')).toMatchObject({ exitCode: 0, stderr: '' });
    // This one takes a day and more.
    const long = await compile('job-array');
    expect(long.exitCode).toBe(1);
    expect(long.stderr).toContain("for 26:30:00, and queue 'workq' takes jobs of at most 24:00:00");
  });
});
