import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execaNode } from 'execa';
import { describe, expect, test } from 'vitest';
import { checkTypes } from '../../src/cli/check-types.js';
import { loadWorkflow } from '../../src/compiler/index.js';
import { root } from './support/compile-fixture.js';
import { problemsIn, workspace } from './support/workspace.js';

const moduleFolder = '{ "type": "module" }';
const commonFolder = '{ "name": "no-type-here" }';

/** TypeScript whose lines and columns change when it is translated. */
const source = `import {
  command,
  experiment,
} from 'simwright';

interface Sizes {
  readonly tasks: number;
}

const sizes: Sizes = { tasks: 0 };
export default experiment('e')
  .model('m', command('true').tasks(sizes.tasks))
    .after('x' as never);
`;

describe.each([
  ['a module folder', moduleFolder, 'workflow.ts'],
  ['a CommonJS folder', commonFolder, 'workflow.ts'],
])('in %s', (_where, manifest, name) => {
  test('places are those of the source', async () => {
    const lines = await problemsIn({ 'package.json': manifest, [name]: source });
    expect(lines.map((line) => line.split(' ').slice(0, 2))).toEqual([
      ['DSL1001', 'workflow.ts:12:31'],
      ['REF1001', 'workflow.ts:13:6'],
    ]);
  });

  test('a helper file is loaded, and its own calls have its places', async () => {
    const lines = await problemsIn({
      'package.json': manifest,
      'workflow.ts':
        "import { experiment } from 'simwright';\nimport { solver } from './helper.js';\nexport default experiment('e').model('m', solver(0));\n",
      'helper.ts':
        "import { command } from 'simwright';\n\n/** As often as asked. */\nexport function solver(tasks: number) {\n  return command('true').tasks(tasks);\n}\n",
    });
    expect(lines).toEqual(['DSL1001 helper.ts:5:26 .tasks(): its number cannot be 0: it has to be at least 1']);
  });

  test('a method and an import that are not there are told with the nearest', async () => {
    const rest = (calls: string, names = 'command, experiment') =>
      `import { ${names} } from 'simwright';\n\nconst e = experiment('e').model('m', command('true'));\nexport default ${calls};\n`;
    // Places in the stack are those of the translated text here; the test below has them.
    const told = async (text: string) =>
      (await problemsIn({ 'package.json': manifest, [name]: text })).map((line) =>
        line.replace(/workflow\.ts:[^1]\S*|workflow\.ts:1:\d{3,}/, 'AT'),
      );
    expect(await told(rest('e.paramz({ A: 1 })'))).toEqual([
      'LOAD1003 AT the workflow calls .paramz(), and what it is called on has no such method | did you mean .params()?',
    ]);
    expect(await told(rest("experiment('f').model('m', command('true').task(3))"))).toEqual([
      'LOAD1003 AT the workflow calls .task(), and command() has no such method | did you mean .tasks()?',
    ]);
    expect(await told(rest("experiment('f').submit()"))).toEqual([
      expect.stringMatching(/^LOAD1003 AT .* experiment\(\) has no such method \| there are: \.model\(\), /),
    ]);
    expect(
      await told(
        rest('e', 'command, experiment, mlFiles').replace(
          /;\n$/,
          ".addMlModel('n', mlFiles('n.onnx'), { backend: 'ONNX' });\n",
        ),
      ),
    ).toEqual([
      expect.stringMatching(
        /^LOAD1003 (AT|workflow\.ts:1:31) the workflow imports 'mlFiles' from 'simwright', which has no such name \| did you mean 'mlFile'\?$/,
      ),
    ]);
    expect(await told(rest('[1].maps()'))).toEqual([
      'LOAD1003 AT the workflow throws TypeError: [1].maps is not a function',
    ]);
  });

  test('a workflow that throws is shown at its own line, by the command line', async () => {
    const folder = workspace({
      'package.json': manifest,
      'workflow.ts': `${source.replace(/export default.*/s, '')}\nfunction pick(cells: number): never {\n  throw new RangeError(\`too many cells: \${cells}\`);\n}\n\npick(sizes.tasks + 7);\n`,
    });
    const { stderr, exitCode } = await execaNode(
      join(root, 'src/cli/main.ts'),
      ['check', join(folder, 'workflow.ts')],
      {
        cwd: root,
        reject: false,
        nodeOptions: ['--import', pathToFileURL(join(root, 'node_modules/tsx/dist/loader.mjs')).href],
      },
    );
    expect(exitCode).toBe(1);
    expect(stderr).toContain('error[LOAD1003]: the workflow throws RangeError: too many cells: 7\n');
    expect(stderr).toMatch(/workflow\.ts:13:9\n +\|\n13 \| {3}throw new RangeError/);
  });
});

test.each(['workflow.mts', 'workflow.cts', 'workflow.mjs', 'workflow.js'])('%s is loaded', async (name) => {
  const text =
    "import { command, experiment } from 'simwright';\nexport default experiment('e').model('m', command('true'));\n";
  const folder = workspace({ [name]: text });
  const { declaration, problems, file } = await loadWorkflow(join(folder, name));
  expect([declaration.name, declaration.entities.length, problems, file]).toEqual(['e', 1, [], join(folder, name)]);
  expect(declaration.entities[0]?.at).toEqual({ file: join(folder, name), line: 2, column: 32 });
});

test.each(['workflow.mts', 'workflow.cts', 'workflow.mjs', 'workflow.cjs', 'workflow.js'])(
  '%s that does not compile is an error at its place',
  async (name) => {
    const folder = workspace({
      [name]: "import { experiment } from 'simwright';\nexport default experiment('e').foo(;\n",
    });
    await expect(loadWorkflow(join(folder, name))).rejects.toMatchObject({
      problems: [{ code: 'LOAD1002', at: { file: join(folder, name), line: 2, column: 36 } }],
    });
  },
);

test('in a folder without "type": "module", types are checked as the file is loaded; what only modules have is told with what to do', async () => {
  const named = "import { command, experiment } from 'simwright';\n";
  const files = {
    'package.json': commonFolder,
    'workflow.ts': `${named}export default experiment('e').model('m', command('echo', import.meta.dirname));\n`,
    'alone.ts': 'export const here: string = import.meta.dirname;\n',
  };
  const folder = workspace(files);
  expect((await loadWorkflow(join(folder, 'workflow.ts'))).declaration.entities).toHaveLength(1);
  expect(await checkTypes(join(folder, 'alone.ts'))).toEqual([]);
  const awaiting = `${named}export default await Promise.resolve(experiment('e').model('m', command('true')));\n`;
  expect(await problemsIn({ ...files, 'workflow.ts': awaiting })).toEqual([
    expect.stringMatching(
      /^LOAD1002 workflow\.ts:2:16 .* \| call it workflow\.mts, or write "type": "module" into the package\.json of its folder$/,
    ),
  ]);
});
