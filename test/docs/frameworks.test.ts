import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type BackendName, backendNames } from '../../src/ml/backends.js';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { root, simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { pythonWith } from '../runtime/orchestrator/support/frameworks.js';

const run = promisify(execFile);

const pythons = await Promise.all(backendNames.map((name: BackendName) => pythonWith(name)));
const lacking = pythons.flatMap((one) => ('missing' in one ? [one.missing] : []));
const python = pythons.flatMap((one) => ('python' in one ? [one.python] : []))[0] ?? 'python3';

/** Programs of the page in Python, in its order. */
const programs = [
  ...readFileSync(join(root, 'docs/frameworks.md'), 'utf8').matchAll(/^```python\n([\s\S]*?)^```$/gm),
].map(([, source = '']) => source);

/** Programs that print answers of the frameworks by themselves to inputs of ones. PyTorch and TensorFlow do not go into one process. */
const byThemselves = [
  `
import json, torch
ones = torch.ones(2, 1, 28, 28)
with torch.no_grad():
    answers = [torch.jit.load("cnn.pt")(ones), torch.export.load("cnn.pt2").module()(ones)]
print(json.dumps([one.reshape(-1).tolist() for one in answers]))
`,
  `
import json, numpy, onnxruntime, tensorflow as tf
flat = numpy.ones((1, 28, 28), numpy.float32)
graph = tf.compat.v1.GraphDef()
graph.ParseFromString(open("net.pb", "rb").read())
frozen = tf.compat.v1.wrap_function(lambda: tf.compat.v1.import_graph_def(graph, name=""), [])
net = frozen.prune("x:0", "Identity:0")(tf.constant(flat)).numpy()
lite = tf.lite.Interpreter("net.tflite")
lite.allocate_tensors()
lite.set_tensor(lite.get_input_details()[0]["index"], flat)
lite.invoke()
small = lite.get_tensor(lite.get_output_details()[0]["index"])
clusters = onnxruntime.InferenceSession("clusters.onnx").run(None, {"X": numpy.ones((2, 3), numpy.float32)})
print(json.dumps([one.reshape(-1).tolist() for one in (net, small, clusters[1])]))
`,
];

const application = `
import { Client, tensor } from 'simwright/client';
const client = await Client.connect();
const ones = (...shape) => tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(1), shape);
await client.putTensor('images', ones(2, 1, 28, 28));
await client.putTensor('image', ones(1, 28, 28));
await client.putTensor('points', ones(2, 3));
await client.runModelMultiGpu('cnn', ['images'], ['a'], { offset: 1, firstGpu: 1, gpus: 2 });
// The second store runs PyTorch by the same environment.
const second = await Client.connect({ suffix: 'second' });
await second.putTensor('images', ones(2, 1, 28, 28));
await second.runModelMultiGpu('exported', ['images'], ['b'], { offset: 5, firstGpu: 3, gpus: 1 });
await client.runModel('net', ['image'], ['c']);
await client.runModel('small', ['image'], ['d']);
await client.runModel('clusters', ['points'], ['labels', 'e']);
await client.runScriptMultiGpu('halve', 'halve', ['image'], ['f'], { offset: 2, firstGpu: 2, gpus: 2 });
const answers = [];
for (const name of 'abcdef') answers.push([...(await (name === 'b' ? second : client).getTensor(name)).data]);
console.log(JSON.stringify(answers));
await client.close();
await second.close();
`;

describe.skipIf(lacking.length > 0)(`docs/frameworks.md ${lacking.join(', ')}`, { timeout: 600_000 }, () => {
  test('its exports run in a job at home, and give what the frameworks give by themselves', async () => {
    const workspace = new Workspace();
    const env = { ...process.env, OMP_NUM_THREADS: '1', TF_CPP_MIN_LOG_LEVEL: '3' };
    const ask = async (source: string) =>
      (await run(python, ['-c', source], { cwd: workspace.cwd, env, maxBuffer: 2 ** 26 })).stdout;
    expect(programs).toHaveLength(4);
    for (const source of programs) await ask(source);
    workspace.write('app.mjs', application);
    workspace.write('halve.py', 'def halve(x):\n    return x.double().reshape(-1)[:4] / 2\n');
    const first = "orchestrator: 'orchestrator'";
    workspace.workflow(`experiment('ml')
  .orchestrator({ intraOpThreads: 1 })
  .orchestrator({ name: 'second', intraOpThreads: 1 })
  .model('app', command('node', 'app.mjs'))
    .attach({ copy: 'app.mjs' })
    .addMlModel('cnn', mlFile('cnn.pt'), { backend: 'TORCH', device: 'GPU', devicesPerNode: 2, firstDevice: 1, ${first} })
    .addMlModel('exported', mlFile('cnn.pt2'), { backend: 'TORCH', device: 'GPU', firstDevice: 3, orchestrator: 'second' })
    .addMlModel('net', mlFile('net.pb'), { backend: 'TF', inputs: ['x'], outputs: ['Identity'], ${first} })
    .addMlModel('small', mlFile('net.tflite'), { backend: 'TFLITE', ${first} })
    .addMlModel('clusters', mlFile('clusters.onnx'), { backend: 'ONNX', ${first} })
    .addScript('halve', scriptFile('halve.py'), { device: 'GPU', devicesPerNode: 2, firstDevice: 2, ${first} })`);
    workspace.write('site.json', JSON.stringify({ name: 'home', target: 'local', python }));
    const words = ['run', 'workflow.ts', '--site', 'site.json', '--out', 'out', '--map-device', 'GPU=CPU'];
    const end = await simwright(workspace, ...words);
    expect(end.exitCode, end.stderr).toBe(0);
    const expected: number[][] = [];
    for (const source of byThemselves)
      expected.push(...JSON.parse((await ask(source)).trim().split('\n').at(-1) ?? ''));
    const close = expected.map((list) => list.map((one) => expect.closeTo(one, 4)));
    expect(JSON.parse(end.stdout)).toEqual([...close, [0.5, 0.5, 0.5, 0.5]]);
    expect(workspace.read('out/logs/ml.out')).toMatch(
      new RegExp(
        `^simwright: models and scripts run in ${python} \\(Python [\\d.]+\\) with torch [^,]+, tensorflow`,
        'm',
      ),
    );
    const logOf = (store: string) => {
      const [log = ''] = workspace.files('out/run/stores', store).filter((name) => /(?<!launch)\.log$/.test(name));
      return workspace.read('out/run/stores', store, log);
    };
    for (const key of ['cnn.GPU:1', 'cnn.GPU:2', 'cnn', 'net', 'small', 'clusters'])
      expect(logOf('orchestrator')).toContain(`info ML model '${key}' is loaded and warmed up\n`);
    for (const key of ['halve.GPU:2', 'halve.GPU:3', 'halve'])
      expect(logOf('orchestrator')).toContain(`info script '${key}' is loaded; the shapes of its inputs are not known`);
    for (const key of ['exported.GPU:3', 'exported'])
      expect(logOf('second')).toContain(`info ML model '${key}' is loaded and warmed up\n`);
    await expectNothingLeft(workspace.path('out'));
  });
});
