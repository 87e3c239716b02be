import { describe, expect, test } from 'vitest';
import { useBundle } from './support/bundle.js';
import { JobFolder } from './support/job-folder.js';
import { makeModel, makePlan } from './support/make-plan.js';

const bundle = useBundle();

const cnn = makeModel({ name: 'cnn', artifact: 'artifacts/aa/cnn.pt', backend: 'TORCH' });
const net = makeModel({ name: 'net', artifact: 'artifacts/bb/net.pb', backend: 'TF', inputs: ['x'], outputs: ['y'] });
const errorsIn = (text: string) => text.split('\n').filter((line) => /^(error|warning)\[/.test(line));

interface Package {
  readonly module: string;
  readonly distribution: string;
  readonly version: string;
  readonly code?: string;
}

/** A folder of a job with these models, and a Python that has nothing but the given packages, as pip installs them. */
function jobWith(models: readonly (typeof cnn)[], packages: readonly Package[] = []) {
  const folder = new JobFolder(bundle(), makePlan([], [{ name: 'store', mlModels: [...models] }]));
  for (const { artifact } of models) folder.write(artifact, 'no model');
  folder.write('bin/python', `#!/bin/sh\nexec python3 -S "$@"\n`, 0o755);
  for (const { module, distribution, version, code = '' } of packages) {
    folder.write(`packages/${module}/__init__.py`, code);
    const metadata = `Metadata-Version: 2.1\nName: ${distribution}\nVersion: ${version}\n`;
    folder.write(`packages/${distribution.replaceAll('-', '_')}-${version}.dist-info/METADATA`, metadata);
  }
  const env = { SIMWRIGHT_PYTHON: folder.path('bin/python'), PYTHONPATH: folder.path('packages') };
  return { folder, env, python: folder.path('bin/python') };
}

const numpy = { module: 'numpy', distribution: 'numpy', version: '1.26.4' };

describe('a job whose models run in Python says in its first second', () => {
  test('which frameworks its Python lacks, a line each', async () => {
    const { folder, env, python } = jobWith([cnn, net]);
    const end = await folder.run('runtime up store', env);
    expect(end.code).toBe(1);
    expect(errorsIn(end.stderr)).toEqual([
      `error[RUN1015]: TORCH needs torch ≥ 1.11 in ${python}, which has none, for ML model 'cnn' of store 'store'`,
      `error[RUN1015]: TF needs tensorflow ≥ 2.4 in ${python}, which has none, for ML model 'net' of store 'store'`,
    ]);
    expect(end.stderr).toContain(
      'hint: load the module that has it (modules of the site or of .batch()), or name another',
    );
    expect(folder.has('run/stores/store/main/supervisor.log')).toBe(false);
  });

  test('that one is too old, and that numpy is missing', async () => {
    const packages = [
      { module: 'torch', distribution: 'torch', version: '1.10.2+cpu' },
      { module: 'tensorflow', distribution: 'tensorflow-cpu', version: '2.15.0' },
    ];
    const { folder, env, python } = jobWith([cnn, net], packages);
    expect(errorsIn((await folder.run('runtime up store', env)).stderr)).toEqual([
      `error[RUN1015]: TORCH needs torch ≥ 1.11 in ${python}, which has 1.10.2+cpu, for ML model 'cnn' of store 'store'`,
      `error[RUN1015]: TF needs numpy in ${python}, which has none, for ML model 'net' of store 'store'`,
    ]);
  });

  test("that there is no such Python: the site's comes before the variable", async () => {
    const { folder, env } = jobWith([cnn]);
    const plan = { ...makePlan([], [{ name: 'store', mlModels: [cnn] }]), python: '/no/python3' };
    folder.write('plan.json', JSON.stringify(plan));
    expect(errorsIn((await folder.run('runtime up store', env)).stderr)).toEqual([
      "error[RUN1015]: TORCH needs torch ≥ 1.11 for ML model 'cnn' of store 'store', and there is no /no/python3",
    ]);
  });

  test('that an ONNX model for a GPU has no provider anywhere; one in Python is enough', async () => {
    const onGpu = makeModel({ name: 'big', artifact: 'artifacts/cc/big.onnx', device: 'GPU' });
    const onnxruntime = (providers: string): Package => ({
      module: 'onnxruntime',
      distribution: 'onnxruntime',
      version: '1.19.0',
      code: `__version__ = '1.19.0'\ndef get_available_providers(): return ${providers}\n`,
    });
    const without = jobWith([onGpu], [onnxruntime("['CPUExecutionProvider']"), numpy]);
    expect(errorsIn((await without.folder.run('runtime up store', without.env)).stderr)).toEqual([
      expect.stringMatching(
        /^error\[RUN1002\]: ML model 'big' is for a GPU, and ONNX Runtime in \S+ has no CUDA, and onnxruntime 1\.19\.0 of \S+ has CPUExecutionProvider alone$/,
      ),
    ]);
    const rocm = jobWith([onGpu], [onnxruntime("['ROCMExecutionProvider', 'CPUExecutionProvider']"), numpy]);
    // It passes the check; the model is none, which only the store finds.
    const end = await rocm.folder.run('runtime up store', rocm.env);
    expect(errorsIn(end.stderr)).toEqual([expect.stringContaining("error[RUN1006]: ML model 'big'")]);
  });

  test('nothing where the module of a store’s own setup has the Python, which its own `up` finds', async () => {
    const { folder, python } = jobWith([]);
    const second = { name: 'second', mlModels: [cnn], setup: { modules: [], commands: [] } };
    folder.write('plan.json', JSON.stringify(makePlan([], [{ name: 'first' }, second])));
    folder.write(cnn.artifact, 'no model');
    const steps = `runtime up first
(
  export SIMWRIGHT_PYTHON=${python} PYTHONPATH=${folder.path('packages')}
  runtime up second
)`;
    const end = await folder.run(steps, { SIMWRIGHT_PYTHON: '/no/python' });
    expect(errorsIn(end.stderr)).toEqual([
      `error[RUN1015]: TORCH needs torch ≥ 1.11 in ${python}, which has none, for ML model 'cnn' of store 'second'`,
    ]);
  });

  test('and a store has the environment of its own `up`', async () => {
    const app =
      'tr "\\0" "\\n" < /proc/$(node -p "JSON.parse(fs.readFileSync(\'../stores/second/address.json\')).nodes[0].pid")/environ';
    const folder = new JobFolder(
      bundle(),
      makePlan([{ name: 'a', stores: ['first', 'second'] }], [{ name: 'first' }, { name: 'second', suffix: 's' }]),
    );
    folder.write('app.sh', `${app} | grep ^FROM_SETUP`);
    const end = await folder.run(`runtime up first
( export FROM_SETUP='of the second'; runtime up second )
runtime launch a -- sh ${folder.path('app.sh')} & launched+=($!)`);
    expect(end).toMatchObject({ code: 0 });
    expect(folder.read('run/a/a.out')).toBe('FROM_SETUP=of the second\n');
  });
});
