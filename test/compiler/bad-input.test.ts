import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from './support/compile-fixture.js';
import { compileIn, problemsIn, source, workspace } from './support/workspace.js';

const onnx = readFileSync(join(root, 'test/runtime/orchestrator/models/double.onnx'));
const model = (chain = '') => `\n  .model('m', command('true'))${chain}`;

describe('files', () => {
  test('an attached file that is missing, with what is near', async () => {
    expect(
      await problemsIn({ 'workflow.ts': source(model("\n    .attach({ copy: ['solver.mjz'] })")), 'solver.mjs': '' }),
    ).toEqual([
      "FILE1001 workflow.ts:5:6 .attach(): copy 'solver.mjz' is not there (looked for solver.mjz) | did you mean 'solver.mjs'?",
    ]);
  });

  test('a glob without a match', async () => {
    expect(await problemsIn(source(model(".attach({ symlink: 'data/*.csv' })")))).toEqual([
      "FILE1001 workflow.ts:4:32 .attach(): symlink 'data/*.csv' matches no file in DIR",
    ]);
  });

  test('a relative link to a directory', async () => {
    expect(await problemsIn({ 'workflow.ts': source(model(".attach({ symlink: 'data' })")), 'data/a': '' })).toEqual([
      "FILE1003 workflow.ts:4:32 .attach(): symlink 'data' is a directory inside the workflow's folder | copy it, or link it by its absolute path on the cluster",
    ]);
  });

  test('a relative executable that is not attached, at the top and in a folder', async () => {
    expect(await problemsIn(source("\n  .model('a', command('./lbm'))\n  .model('b', command('bin/lbm'))"))).toEqual([
      "FILE1002 workflow.ts:4:15 command('./lbm'): a relative executable has to be attached to 'a' | add .attach({ copy: ['lbm'] }), or write its absolute path on the cluster",
      "FILE1002 workflow.ts:5:15 command('bin/lbm'): a relative executable has to be attached to 'b' | write command('./lbm') and .attach({ copy: ['bin/lbm'] }), or its absolute path on the cluster",
    ]);
  });

  test('a relative executable that may not be executed', async () => {
    const chain = "\n  .model('m', command('./lbm')).attach({ copy: ['lbm'] })";
    expect(await problemsIn({ 'workflow.ts': source(chain), lbm: 'echo' })).toEqual([
      "FILE1003 workflow.ts:4:15 command('./lbm'): lbm may not be executed | chmod +x lbm",
    ]);
  });

  test('two files for one place', async () => {
    const chain = model(".attach({ copy: ['a/in.txt'] }).attach({ configure: ['b/in.txt'] })");
    expect(await problemsIn({ 'workflow.ts': source(chain), 'a/in.txt': '', 'b/in.txt': '' })).toEqual([
      "FILE1004 workflow.ts:4:63 'm' would get two files named 'in.txt' | rename one of them, or attach only one",
    ]);
  });
});

describe('files that are named in several ways', () => {
  const compiled = async (attach: string) => {
    const chain = model(`.params({ A: 1 }).attach(${attach})`);
    const folder = workspace({ 'workflow.ts': source(chain), 'in.txt': ';A;', 'other.txt': ';A;' });
    const { plan, notes } = await compileIn(folder);
    return { files: plan.entities[0]?.files.map(({ kind, to }) => `${kind} ${to}`), notes };
  };

  test('copied and configured: it is configured, and preview says so', async () => {
    expect(await compiled("{ copy: '*.txt', configure: 'in.txt' }")).toEqual({
      files: ['configure in.txt', 'copy other.txt'],
      notes: ['m: in.txt is to be copied and configured: members get it configured'],
    });
    expect(await compiled("{ configure: 'in.txt' }).attach({ symlink: './in.txt' }")).toEqual({
      files: ['configure in.txt'],
      notes: ['m: in.txt is to be linked and configured: members get it configured'],
    });
  });

  test('twice in one way: it is there once', async () => {
    const once = "{ copy: ['in.txt', '*.txt'] }).attach({ copy: 'other.txt' }";
    expect(await compiled(once)).toEqual({ files: ['copy in.txt', 'copy other.txt'], notes: [] });
  });

  test('in two ways that contradict each other', async () => {
    const files = { 'in.txt': ';A;' };
    const both = model(".params({ A: 1 }, { asArgs: ['A'] }).attach({ copy: 'in.txt', symlink: 'in.txt' })");
    const tags = model(
      ".params({ A: 1 }, { asArgs: ['A'] }).attach({ configure: 'in.txt' }).attach({ configure: 'in.txt', tag: '@' })",
    );
    for (const chain of [both, tags]) {
      expect(await problemsIn({ ...files, 'workflow.ts': source(chain) })).toEqual([
        expect.stringMatching(
          /^FILE1004 .* 'm' would get two files named 'in.txt' \| rename one of them, or attach only one$/,
        ),
      ]);
    }
  });
});

describe('templates', () => {
  test('a tag without a value, at its place in the template', async () => {
    const chain = model(".params({ RE: 100 }).attach({ configure: 'in.lbm' })");
    expect(await problemsIn({ 'workflow.ts': source(chain), 'in.lbm': 're ;RE;\nlid  ;LID; m/s\n' })).toEqual([
      "TMPL1001 in.lbm:2:6 the tag LID has no value: 'm' has no parameter of that name | there are: RE",
    ]);
  });

  test('a tag without a value at several places is told once', async () => {
    const chain = model(".params({ RE: 100 }).attach({ configure: 'in.lbm' })");
    expect(await problemsIn({ 'workflow.ts': source(chain), 'in.lbm': ';RE; ;LID; ;LID;\n;LID;' })).toEqual([
      "TMPL1001 in.lbm:1:6 the tag LID has no value (and at 2 more places): 'm' has no parameter of that name | there are: RE",
    ]);
  });

  test('a delimiter that is a word', async () => {
    expect(await problemsIn(source(model(".attach({ tag: 'x' })")))).toEqual([
      `TMPL1003 workflow.ts:4:32 .attach(): 'x' cannot delimit tags | use one or more signs that are no letters, digits, blanks, "_", "." or "-"`,
    ]);
  });
});

describe('names and references', () => {
  test('an unknown entity in .after and .registerIncomingEntity, with a suggestion', async () => {
    const chain =
      "\n  .model('simulation', command('true'))\n  .model('analysis', command('true'))\n    .after('simulatoin' as never)\n    .registerIncomingEntity('simulaton')";
    expect(await problemsIn(source(chain))).toEqual([
      "REF1001 workflow.ts:6:6 .after('simulatoin'): there is no model or ensemble of that name | did you mean 'simulation'?",
      "REF1001 workflow.ts:7:6 .registerIncomingEntity('simulaton'): there is no model or ensemble of that name | did you mean 'simulation'?",
    ]);
  });

  test('a member that the ensemble does not have', async () => {
    const chain =
      "\n  .ensemble('sweep', command('true', '{args}')).params({ A: [1, 2] }, { asArgs: ['A'] })\n  .model('m', command('true')).after('sweep_2')";
    expect(await problemsIn(source(chain))).toEqual([
      "REF1001 workflow.ts:5:32 .after('sweep_2'): 'sweep' has 2 members | they are sweep_0 to sweep_1",
    ]);
  });

  test('a name used twice, by an entity and by a member', async () => {
    const chain =
      "\n  .model('a', command('true'))\n  .model('a' as never, command('true'))\n  .ensemble('b', command('true'))\n  .model('b_0', command('true'))";
    expect(await problemsIn(source(chain))).toEqual([
      "DSL1003 workflow.ts:5:4 model 'a': the name is already that of a model (line 4) | names stand for directories and keys, so each is used once",
      "DSL1003 workflow.ts:7:4 'b_0' is also the name of a member of ensemble 'b'",
    ]);
  });

  test('a name that is none, and one that the runtime has taken', async () => {
    expect(
      await problemsIn(source("\n  .model('1st run', command('true'))\n  .model('stores', command('true'))")),
    ).toEqual([
      `DSL1002 workflow.ts:4:4 .model(): '1st run' cannot be a name | names start with a letter, hold letters, digits, "_", "." and "-", and have at most 63 characters`,
      "DSL1002 workflow.ts:5:4 model 'stores': the name is taken by the runtime | run/ already has what is named so; the names kept for it are: status, stores, clusters, recipes, aside, node_modules, members.csv, jobs.tsv",
    ]);
  });

  test('entities that wait for each other, and one that waits for itself', async () => {
    const chain =
      "\n  .model('a', command('true')).after('b' as never)\n  .model('b', command('true')).after('a')\n  .model('c', command('true')).after('c')";
    expect(await problemsIn(source(chain))).toEqual([
      "REF1002 workflow.ts:5:32 none of them could ever start: 'a' waits for 'b' waits for 'a' | take out one of the .after() calls",
      "REF1002 workflow.ts:6:32 'c' waits for itself",
    ]);
  });

  test('jobs that wait for each other', async () => {
    const chain =
      "\n  .model('a', command('true'))\n  .model('b', command('true')).after('a').batch({ nodes: 1 })\n  .model('c', command('true')).after('b')";
    expect(await problemsIn(source(chain))).toEqual([
      'REF1002 workflow.ts:5:43 jobs would wait for each other | leave out .batch() where entities wait for each other in both directions, so that they share a job',
    ]);
  });

  test('more incoming names than a variable can hold', async () => {
    const chain =
      ".orchestrator()\n  .ensemble('sweep', command('true')).params({ I: Array.from({ length: 100_000 }, (_, i) => i) }, { asArgs: ['I'] })\n  .model('m', command('true')).registerIncomingEntity('sweep')";
    expect(await problemsIn(source(chain))).toEqual([
      "REF1003 workflow.ts:5:32 SSKEYIN of 'm' would have 1200000 bytes, and one variable holds at most 131008 | register the members that it reads, or pass prefixes by a file of its own",
    ]);
  });

  test('a call before any entity is open', async () => {
    expect(
      await problemsIn(
        source("\n  .apply((e: any) => e.orchestrator().params({ A: 1 }))\n  .model('m', command('true'))"),
      ),
    ).toEqual([
      'DSL1009 workflow.ts:4:39 .params() describes a model or an ensemble, and none is open here | call it after .model() or .ensemble()',
    ]);
  });
});

describe('values', () => {
  test.each([
    [
      'walltime',
      ".batch({ walltime: '10:30' })",
      "DSL1005 workflow.ts:3:34 .batch(): '10:30' is no walltime | write hours, minutes and seconds: '02:00:00', '1-12:00:00' or 'PT2H'",
    ],
    [
      'memory',
      ".batch({ memory: '8' })",
      "DSL1006 workflow.ts:3:34 .batch(): '8' is no amount of memory | write a number and its unit: '512M', '8G', '1.5T'",
    ],
    [
      'an unknown option',
      '.batch({ wallTime: 1 } as any)',
      "DSL1007 workflow.ts:3:34 .batch() has no option 'wallTime' | did you mean 'walltime'?",
    ],
    [
      'a line break for a directive',
      String.raw`.batch({ account: 'abc\nrm -rf ~' })`,
      String.raw`DSL1001 workflow.ts:3:34 .batch(): account cannot be 'abc\nrm -rf ~': line breaks, double quotes and backslashes cannot stand in a directive, nor can an empty text`,
    ],
  ])('%s', async (_what, chain, expected) => {
    expect(await problemsIn(source(`${chain}${model()}`))).toEqual([expected]);
  });

  test.each([
    ['a number that is none', '{ A: Number.NaN }', 'A holds NaN | numbers have to be finite'],
    ['an infinite number in a list', '{ A: [1, -Infinity] }', 'A holds -Infinity | numbers have to be finite'],
    ['an empty list', '{ A: [] }', 'A is an empty list, so there would be no members | give at least one value'],
    [
      'a number that has lost digits',
      '{ A: [1, 9007199254740993] }',
      'A holds 9007199254740992 | a number beyond 2^53 loses digits: write it as 12345678901234567890n or as a text',
    ],
    [
      'a name that is empty',
      "{ '': 1 }",
      "'' is no name of a parameter | any other text is one; between two delimiters it is a tag",
    ],
    [
      'an object',
      '{ A: [{ b: 1 }] } as any',
      'A cannot hold an object with b | values are texts, numbers and booleans, or lists of them',
    ],
  ])('parameters: %s', async (_what, values, expected) => {
    expect(await problemsIn(source(`\n  .ensemble('e', command('true')).params(${values})`))).toEqual([
      `DSL1008 workflow.ts:4:35 .params(): ${expected}`,
    ]);
  });

  test('a list on a model, and an argument that is no parameter', async () => {
    expect(await problemsIn(source(model(".params({ A: [1] }, { asArgs: ['B'] })")))).toEqual([
      "DSL1008 workflow.ts:4:32 .params(): A is a list, and a model has one value a parameter | use .ensemble() to run each of a list's values",
      "DSL1008 workflow.ts:4:32 .params(): asArgs names 'B', which is no parameter | its parameters are: A",
    ]);
  });

  test('a command that is none, sizes and variables that cannot be', async () => {
    const chain = "\n  .model('a', 'true' as never)\n  .model('b', command('true').tasks(1.5).env({ 'A B': 1 }))";
    expect(await problemsIn(source(chain))).toEqual([
      "DSL1001 workflow.ts:4:4 .model(): 'true' is no command | write command('./program', 'argument')",
      'DSL1001 workflow.ts:5:31 .tasks(): its number cannot be 1.5: a whole number is needed',
      "DSL1002 workflow.ts:5:42 .env(): 'A B' is no name of an environment variable",
    ]);
  });

  test('numbers that have lost digits, in arguments, variables, options, and what a strategy returns', async () => {
    const chain = [
      "\n  .model('a', command('true', 2 ** 60).env({ SEED: 2 ** 53 }).launcherArgs({ seed: 1e16 + 2 }))",
      "\n  .ensemble('e', command('true')).params({}, { strategy: () => [{ A: 2 ** 60 }] })",
    ].join('');
    const lost = 'a number beyond 2^53 loses digits: write it as 12345678901234567890n or as a text';
    expect(await problemsIn(source(chain))).toEqual([
      `DSL1001 workflow.ts:4:15 command(): its arguments cannot be [1152921504606847000]: ${lost}, → at [0]`,
      `DSL1001 workflow.ts:4:40 .env(): SEED cannot be 9007199254740992: ${lost}`,
      `DSL1001 workflow.ts:4:63 .launcherArgs(): 'seed' cannot be 10000000000000002: ${lost}`,
      expect.stringMatching(
        /^DSL1011 workflow\.ts:5:35 \.params\(\): the strategy function returned 1152921504606847000 as A/,
      ),
    ]);
  });

  test('nothing to run', async () => {
    expect(await problemsIn(source('.orchestrator()'))).toEqual([
      "PLAN1003 workflow.ts:3:16 experiment 'bad' has nothing to run | add a .model() or an .ensemble()",
    ]);
  });
});

describe('ML models', () => {
  const colocated = (file: string) =>
    model(`.colocate({ uds: true })\n    .addMlModel('net', mlFile('${file}'), { backend: 'ONNX' })`);
  const exporting =
    "export it: torch.onnx.export(model, inputs, 'net.onnx'), or skl2onnx.to_onnx(model, inputs), or name the file's own backend";
  const reason = (text: string, hint = exporting) => [
    `ML1001 workflow.ts:5:6 .addMlModel('net'): net.onnx is no ONNX model: ${text} | ${hint}`,
  ];

  test.each([
    ['a text file', Buffer.from('this is no model\n'), 'it is not in the protobuf format'],
    [
      'a file cut short',
      onnx.subarray(0, 60),
      'it ends too early: the file is cut short, or not in the protobuf format',
    ],
    ['an empty file', Buffer.alloc(0), 'it is empty', 'export the model again'],
    ['zeros', Buffer.alloc(100), 'it is not in the protobuf format'],
    ['a model without a graph', Buffer.from([8, 8]), 'it holds no graph'],
  ])('%s', async (_what, bytes, text, hint?: string) => {
    const files = { 'workflow.ts': source(colocated('net.onnx')), 'net.onnx': bytes };
    expect(await problemsIn(files)).toEqual(reason(text, hint));
  });

  test('a file that is missing, and a directory', async () => {
    expect(await problemsIn(source(colocated('net.onnx')))).toEqual([
      "FILE1001 workflow.ts:5:6 .addMlModel('net'): there is no file net.onnx",
    ]);
    expect(await problemsIn({ 'workflow.ts': source(colocated('nets')), 'nets/a': '' })).toEqual([
      "FILE1003 workflow.ts:5:6 .addMlModel('net'): nets is no file",
    ]);
  });

  test('bytes that are no model', async () => {
    const chain = model(
      ".colocate({ uds: true })\n    .addMlModel('net', mlBytes(new Uint8Array(9)), { backend: 'ONNX' })",
    );
    expect(await problemsIn(source(chain))).toEqual([
      `ML1001 workflow.ts:5:6 .addMlModel('net'): the model in memory is no ONNX model: it is not in the protobuf format | ${exporting}`,
    ]);
  });

  test('no store to load it, none of that name, another one of that name', async () => {
    const add = (options = '') => `\n    .addMlModel('net', mlFile('net.onnx'), { backend: 'ONNX'${options} })`;
    const files = (chain: string) => ({ 'workflow.ts': source(chain), 'net.onnx': onnx });
    expect(await problemsIn(files(model(add())))).toEqual([
      "ML1002 workflow.ts:5:6 .addMlModel('net'): 'm' has no store that could load it | open one with .orchestrator(), or give the entity its own with .colocate()",
    ]);
    expect(
      await problemsIn(files(`.orchestrator({ name: 'fields' })${model(add(", orchestrator: 'feilds'"))}`)),
    ).toEqual(["ML1002 workflow.ts:5:6 .addMlModel('net'): 'm' sees no store named 'feilds' | did you mean 'fields'?"]);
    const two = `.orchestrator()${model(add())}\n  .model('n', command('true'))${add(', batchSize: 4')}`;
    expect(await problemsIn(files(two))).toEqual([
      "DSL1003 workflow.ts:7:6 .addMlModel('net'): 'm' gives store 'orchestrator' another ML model of that name | give one of them another name, or both the same source and options",
    ]);
    expect(await problemsIn(files(two.replace(', batchSize: 4', '')))).toEqual([]);
  });
});

describe('stores', () => {
  test('two without a name', async () => {
    expect(await problemsIn(source(`.orchestrator()${model('\n    .colocate({ uds: true })')}`))).toEqual([
      "STORE1001 workflow.ts:5:6 model 'm' would see two stores without a name | give the colocated store an id: .colocate({ …, id: 'local' })",
    ]);
  });

  test('a second colocated one', async () => {
    expect(
      await problemsIn(source(model('\n    .colocate({ uds: true })\n    .colocate({ tcp: true } as never)'))),
    ).toEqual([
      "DSL1004 workflow.ts:6:6 model 'm' already has a colocated orchestrator | keep one of the two .colocate() calls",
    ]);
  });

  test('a socket path of 108 bytes, a relative one, one that no client takes; 107 bytes are fine', async () => {
    const at = (path: string) => problemsIn(source(model(`\n    .colocate({ uds: true, socket: '${path}' })`)));
    expect(await at(`/tmp/${'x'.repeat(103)}`)).toEqual([
      "STORE1002 workflow.ts:5:6 .colocate(): the socket's path has 108 bytes, and a Unix socket's at most 107 | choose a shorter one, under /tmp say, or leave it out",
    ]);
    expect(await at('run/a.sock')).toEqual([
      "STORE1002 workflow.ts:5:6 .colocate(): the socket's path 'run/a.sock' is relative | write an absolute path, or leave it out",
    ]);
    expect(await at('/tmp/my socket')).toEqual([
      "STORE1002 workflow.ts:5:6 .colocate(): the socket's path '/tmp/my socket' cannot be an address | SmartRedis clients take letters, digits and the signs . : , / _ - in an address",
    ]);
    expect(await at(`/tmp/${'x'.repeat(102)}`)).toEqual([]);
  });

  test('an id that cannot end the name of a variable', async () => {
    expect(await problemsIn(source(model("\n    .colocate({ uds: true, id: 'a=b' })")))).toEqual([
      `DSL1001 workflow.ts:5:6 .colocate(): id cannot be 'a=b': it starts with a letter and holds letters, digits, "_", "." and "-"`,
    ]);
  });

  test('one that another job would have to share', async () => {
    expect(await problemsIn(source(`.orchestrator()${model('\n    .batch({ nodes: 1 })')}`))).toEqual([
      "STORE1003 workflow.ts:5:6 'm' is a job of its own, and store 'orchestrator' lives in the experiment's job | make the store a job as well: .orchestrator({ … }).batch({ … }); or leave out the .batch() of 'm'",
    ]);
  });
});

describe('a workflow that cannot be loaded', () => {
  test('one that is not there, and a folder', async () => {
    expect(await problemsIn({ a: '' })).toEqual(['LOAD1001 - there is no workflow file workflow.ts']);
    expect(await problemsIn({ 'workflow.ts/a': '' })).toEqual([
      'LOAD1001 - workflow.ts is no file, so it cannot be a workflow',
    ]);
  });

  test.each([
    ['in a module folder', '{ "type": "module" }'],
    ['in a CommonJS folder', '{}'],
  ])('one that does not compile, %s', async (_what, manifest) => {
    expect(
      await problemsIn({
        'package.json': manifest,
        'workflow.ts': "import { experiment } from 'simwright';\nexport default experiment('a'\n  .model(;\n",
      }),
    ).toEqual([expect.stringMatching(/^LOAD1002 workflow\.ts:3:10 the workflow does not compile: Unexpected ";"$/)]);
  });

  test('one that exports nothing, and one that exports something else', async () => {
    const expected = [
      "LOAD1004 workflow.ts:1:1 workflow.ts has no experiment as its default export | write: export default experiment('name').model(...)",
    ];
    expect(await problemsIn("import 'simwright';\n")).toEqual(expected);
    expect(await problemsIn('export default { model: 1 };\n')).toEqual(expected);
  });

  test.each([
    ['in a module folder', '{ "type": "module" }'],
    ['in a CommonJS folder', '{}'],
  ])('one that imports a missing package, %s', async (_what, manifest) => {
    expect(
      await problemsIn({
        'package.json': manifest,
        'workflow.ts': "import 'no-such-package-here';\nexport default 1;\n",
      }),
    ).toEqual([
      expect.stringMatching(
        /^LOAD1003 workflow\.ts:\d+:\d+ the workflow imports 'no-such-package-here', which is not there$/,
      ),
    ]);
  });

  test('one that throws', async () => {
    expect(await problemsIn("import 'simwright';\nthrow new RangeError('too many cells\\nat line 2');\n")).toEqual([
      expect.stringMatching(/^LOAD1003 workflow\.ts:\d+:\d+ the workflow throws RangeError: too many cells$/),
    ]);
  });
});

test('all problems at once, sorted by place', async () => {
  const chain = [
    "\n  .batch({ walltime: 'soon' })",
    "\n  .model('a', command('./missing').tasks(0))",
    "\n    .attach({ configure: ['in.txt', 'nothing'] })",
    "\n    .after('b' as never)",
    "\n  .ensemble('a' as never, command('true'))",
    '\n    .params({ X: [] })',
  ].join('');
  const found = await problemsIn({ 'workflow.ts': source(chain), 'in.txt': '\n ;TAG; ;TAG;\n' });
  expect(found.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
    'TMPL1001 in.txt:2:2',
    'DSL1005 workflow.ts:4:4',
    'FILE1002 workflow.ts:5:15',
    'DSL1001 workflow.ts:5:36',
    'FILE1001 workflow.ts:6:6',
    'REF1001 workflow.ts:7:6',
    'DSL1003 workflow.ts:8:4',
    'DSL1008 workflow.ts:9:6',
  ]);
});
