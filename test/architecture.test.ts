import { readdirSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Node, Project, SyntaxKind } from 'ts-morph';
import { describe, expect, test } from 'vitest';
import { commandNames } from '../src/cli/command-table.js';
import { LauncherName, TargetName } from '../src/ir/index.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** One import (or re-export) of a file of ours. Paths are relative to the root. */
interface Import {
  readonly place: string;
  readonly from: string;
  /** A file of ours, or the name of a module. */
  readonly to: string;
  readonly typeOnly: boolean;
}

const project = new Project({ tsConfigFilePath: `${root}tsconfig.json`, skipAddingFilesFromTsConfig: true });
const sources = project.addSourceFilesAtPaths(`${root}src/**/*.ts`);
const imports: readonly Import[] = sources.flatMap((file) =>
  [...file.getImportDeclarations(), ...file.getExportDeclarations()].flatMap((declaration) => {
    const specifier = declaration.getModuleSpecifierValue();
    if (specifier === undefined) return [];
    const target = declaration.getModuleSpecifierSourceFile();
    const from = relative(root, file.getFilePath());
    const to = target === undefined || !specifier.startsWith('.') ? specifier : relative(root, target.getFilePath());
    const named = 'getNamedImports' in declaration ? declaration.getNamedImports() : declaration.getNamedExports();
    const plain =
      'getDefaultImport' in declaration &&
      (declaration.getDefaultImport() ?? declaration.getNamespaceImport()) !== undefined;
    const typeOnly = declaration.isTypeOnly() || (named.length > 0 && !plain && named.every((one) => one.isTypeOnly()));
    return [{ place: `${from}:${declaration.getStartLineNumber()}`, from, to, typeOnly }];
  }),
);

/** Names of the targets, which are those of their folders. */
const targetNames = readdirSync(`${root}src/targets`, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'launchers')
  .map(({ name }) => name);

/** The file of a target that says how its scheduler is asked, and what it answers. */
function queriesOf(target: string): string {
  return `src/targets/${target}/queries.ts`;
}

/** Rooms inside a folder by name, each with the others of the folder that it may import, and what all of them may. */
function roomsIn(
  folder: string,
  forAll: readonly string[],
  parts: Readonly<Record<string, readonly string[]>>,
): (typeof rooms)[number][] {
  return Object.entries(parts).map(([name, mayImport]) => [
    `${folder}${name}/`,
    [...forAll, ...mayImport.map((other) => `${folder}${other}`)],
  ]);
}

/** Paths that every room of the orchestrator may import. */
const forOrchestrator = [
  ...['src/diagnostics/', 'src/ml/', 'src/model-files/', 'src/torchscript/'],
  ...['src/ir/eviction-policies.ts', 'src/runtime/slots.ts'],
  'type src/runtime/orchestrator/checkpoint/saving.ts',
];

/** Paths that every room of the runtime may import: launchers, and how a target's scheduler is asked; nothing else of a target. */
const forRuntime = [
  ...['src/ir/', 'src/ml/', 'src/diagnostics/'],
  ...['src/targets/queries.ts', 'src/targets/schedulers.ts', 'src/targets/launchers/', 'src/runtime/version.ts'],
];

/** Rooms of the house by the start of their paths, the most special first, with those that each may import besides itself. */
const rooms: readonly (readonly [room: string, mayImport: readonly string[]])[] = [
  ['src/diagnostics/', []],
  // Backends, dtypes and devices: written down once, for all.
  ['src/ml/', []],
  // Headers of models' files: the compiler checks them, the runtime may.
  ['src/model-files/', ['src/ml/', 'src/diagnostics/']],
  // Scripts and what they become, whoever runs or checks them.
  ['src/torchscript/', ['src/ml/']],
  ['src/ir/eviction-policies.ts', []],
  ['src/ir/', ['src/diagnostics/', 'src/ml/', 'src/model-files/header.ts']],
  ['src/dsl/', ['src/ir/', 'src/diagnostics/', 'src/ml/']],
  ['src/compiler/package-version.ts', []],
  ['src/compiler/hash-file.ts', []],
  ['src/compiler/load/', ['src/ir/', 'src/diagnostics/']],
  [
    'src/compiler/inspect/',
    ['src/ir/', 'src/ml/', 'src/model-files/', 'src/torchscript/', 'src/diagnostics/', 'src/compiler/hash-file.ts'],
  ],
  // Answers to questions of passes about a declaration, jobs and names.
  ['src/compiler/passes/lookup/', ['src/ir/', 'type src/compiler/inspect/', 'type src/compiler/passes/compilation.ts']],
  [
    'src/compiler/passes/check/',
    [
      'src/ir/',
      'src/diagnostics/',
      'src/targets/target.ts',
      'src/targets/refusals.ts',
      'src/targets/quoting.ts',
      'src/ml/',
      'src/model-files/header.ts',
      'type src/compiler/inspect/',
      'type src/compiler/passes/compilation.ts',
      'src/compiler/passes/lookup/',
    ],
  ],
  [
    'src/compiler/passes/',
    ['src/ir/', 'src/diagnostics/', 'src/targets/target.ts', 'src/targets/directives.ts', 'type src/compiler/inspect/'],
  ],
  // From the plan to files: it asks no pass, no launcher and no site.
  [
    'src/compiler/emit/',
    [
      'src/ir/',
      'src/diagnostics/',
      'type src/targets/target.ts',
      'src/targets/registry.ts',
      'src/targets/quoting.ts',
      'src/targets/outer-job.ts',
      'src/compiler/package-version.ts',
      'src/compiler/hash-file.ts',
      'type src/compiler/inspect/',
    ],
  ],
  [
    'src/compiler/',
    ['src/compiler/', 'src/ir/', 'src/diagnostics/', 'src/targets/registry.ts', 'src/targets/launchers/'],
  ],
  ['src/targets/launchers/', ['src/targets/target.ts', 'src/ir/']],
  ...targetNames.map(
    (name) =>
      [
        `src/targets/${name}/`,
        [
          'src/targets/target.ts',
          'src/targets/quoting.ts',
          'src/targets/dependencies.ts',
          'src/targets/directives.ts',
          'src/targets/outer-job.ts',
          'src/targets/queries.ts',
          'src/targets/probe.ts',
          'src/targets/launchers/',
          'src/ir/',
          'src/diagnostics/',
        ],
      ] as const,
  ),
  ['src/targets/registry.ts', ['src/targets/', 'type src/ir/']],
  // How schedulers are asked, for the runtime.
  ['src/targets/schedulers.ts', ['src/targets/queries.ts', 'src/ir/', ...targetNames.map(queriesOf)]],
  ['src/targets/', ['src/ir/', 'src/diagnostics/', 'src/targets/launchers/']],
  ['src/sites/', ['src/ir/']],
  ['src/runtime/slots.ts', []],
  ['src/runtime/orchestrator/busy-poll.ts', []],
  // The AI layer knows neither the protocol nor the keyspace: they may be another store's.
  ...roomsIn('src/runtime/orchestrator/', forOrchestrator, {
    memory: [],
    bytes: ['memory/'],
    inference: ['memory/', 'busy-poll.ts'],
    ai: ['inference/', 'bytes/', 'memory/'],
    resp: ['bytes/', 'memory/'],
    keyspace: ['ai/', 'bytes/', 'memory/'],
    checkpoint: ['keyspace/', 'ai/', 'inference/', 'bytes/'],
    commands: ['ai/', 'inference/', 'keyspace/', 'bytes/', 'memory/', 'resp/'],
    framed: ['commands/', 'ai/', 'inference/', 'bytes/', 'memory/', 'resp/', 'busy-poll.ts'],
  }),
  ['src/runtime/orchestrator/', ['src/diagnostics/', 'src/ml/', 'src/ir/eviction-policies.ts', 'src/runtime/slots.ts']],
  ['src/runtime/client/', ['src/diagnostics/', 'src/ml/', 'src/runtime/slots.ts']],
  ['src/runtime/configure/', ['src/ir/', 'src/diagnostics/']],
  ...roomsIn('src/runtime/', forRuntime, {
    job: [],
    output: [],
    npy: [],
    scheduler: ['job/'],
    status: ['job/'],
    preload: ['client/'],
    'store-files': ['job/', 'orchestrator/checkpoint/record.ts'],
    'stored-data': ['store-files/', 'status/', 'job/', 'orchestrator/checkpoint/record.ts'],
    rerun: ['stored-data/', 'store-files/', 'status/', 'scheduler/', 'job/', 'orchestrator/checkpoint/record.ts'],
    supervisor: ['rerun/', 'store-files/', 'scheduler/', 'job/', 'slots.ts'],
    // Who may use stores that other hosts reach.
    allow: ['supervisor/', 'job/'],
    engine: ['job/', 'supervisor/', 'client/', 'orchestrator/'],
    store: [
      ...['allow/', 'engine/', 'supervisor/', 'rerun/', 'stored-data/', 'store-files/', 'preload/', 'npy/', 'job/'],
      ...['client/', 'orchestrator/'],
    ],
    // Files of Ray clusters, and the program that keeps one node of a cluster.
    ray: ['job/'],
    'ray-node': ['ray/', 'supervisor/', 'job/'],
    assert: ['store/', 'job/', 'orchestrator/'],
    launch: [
      ...[
        'allow/',
        'assert/',
        'configure/',
        'output/',
        'rerun/',
        'scheduler/',
        'status/',
        'stored-data/',
        'store-files/',
      ],
      ...['supervisor/', 'ray/', 'job/', 'client/'],
    ],
    down: ['allow/', 'ray/', 'rerun/', 'status/', 'store-files/', 'supervisor/', 'job/'],
    up: [
      ...[
        'allow/',
        'assert/',
        'launch/',
        'preload/',
        'rerun/',
        'scheduler/',
        'status/',
        'store-files/',
        'supervisor/',
        'job/',
      ],
      'client/',
    ],
  }),
  ['src/runtime/', [...forRuntime, 'src/runtime/']],
  // Stand-ins of schedulers and launchers: they see a compiled folder, never the runtime.
  [
    'src/rehearse/',
    ['src/ir/', 'src/diagnostics/', 'src/targets/queries.ts', 'src/targets/quoting.ts', 'src/targets/schedulers.ts'],
  ],
  ['src/testing/', ['src/compiler/', 'src/diagnostics/', 'src/ir/', 'src/sites/']],
  ['src/cli/', ['src/']],
  ['src/index.ts', ['src/dsl/', 'src/diagnostics/', 'src/ir/', 'src/sites/']],
];

/** Modules of others that rooms keep to themselves, or stay away from. */
const modules: readonly (readonly [room: string, refused: RegExp])[] = [
  ['src/ir/', /^node:(?!crypto$)/],
  ['src/dsl/', /^node:/],
  ['src/compiler/passes/', /^node:(?!crypto$)/],
  ['src/targets/', /^node:/],
  ['src/sites/', /^node:/],
  ['src/runtime/', /^(nunjucks|tsx|commander|listr2|fast-glob)\b/],
];

function roomOf(path: string): (typeof rooms)[number] | undefined {
  return rooms.find(([room]) => path.startsWith(room));
}

function isAllowed({ from, to, typeOnly }: Import): boolean {
  if (!to.startsWith('src/')) return !modules.some(([room, refused]) => from.startsWith(room) && refused.test(to));
  const room = roomOf(from);
  if (room === undefined) return false;
  const [own, mayImport] = room;
  if (roomOf(to)?.[0] === own) return true;
  // A room may look into the rooms inside it.
  if (to.startsWith(own) && own !== 'src/targets/') return true;
  return mayImport.some((start) =>
    start.startsWith('type ') ? typeOnly && to.startsWith(start.slice(5)) : to.startsWith(start),
  );
}

test('every file lies in a room', () => {
  expect(
    sources.map((file) => relative(root, file.getFilePath())).filter((path) => roomOf(path) === undefined),
  ).toEqual([]);
});

test('every import is one that its room may make', () => {
  expect(imports.length).toBeGreaterThan(300);
  expect(imports.filter((one) => !isAllowed(one)).map(({ place, to }) => `${place} imports ${to}`)).toEqual([]);
});

/**
 * Names of schedulers, launchers and their commands, which only targets and sites may say. `local` and `none` are not among them: these
 * words mean other things as well.
 */
const schedulersWords = new Set([
  ...[...TargetName.options, ...LauncherName.options].filter((name) => name !== 'local' && name !== 'none'),
  ...'openpbs sge flux alps prterun prun hydra'.split(' '),
  ...'sbatch salloc sacct scancel scontrol sinfo squeue slurmstepd'.split(' '),
  ...'qsub qstat qdel qalter pbsnodes bsub bjobs bkill bhosts bqueues lsid lshosts'.split(' '),
]);

/** Names of that list in a text or identifier: `SlurmHerald`, `SLURM_JOB_ID` and `/usr/bin/srun` hold one each. */
function schedulersWordsIn(text: string): string[] {
  const words = text.split(/(?<=[a-z])(?=[A-Z])|[^A-Za-z]+/).map((word) => word.toLowerCase());
  return words.filter((word) => schedulersWords.has(word));
}

test('commands that users are told to run are quoted for the shell: simwrightCommand() makes them', () => {
  const commands = ['site check', 'site install', 'engine install', ...commandNames].join('|');
  const unquoted = new RegExp(`\\bsimwright (${commands})( --?[a-z-]+)* $`);
  const found = sources.flatMap((file) =>
    file.getDescendantsOfKind(SyntaxKind.TemplateExpression).flatMap((template) => {
      const texts = [template.getHead(), ...template.getTemplateSpans().map((span) => span.getLiteral())];
      return texts
        .slice(0, -1)
        .filter((text) => unquoted.test(text.getLiteralText()))
        .map((text) => `${relative(root, file.getFilePath())}:${text.getStartLineNumber()} ${text.getText()}`);
    }),
  );
  expect(found).toEqual([]);
});

test('no name of a scheduler or launcher outside targets and sites', () => {
  const mayName = /^src\/(targets|sites|rehearse\/(schedulers|launchers))\/|^src\/ir\/site\.ts$/;
  const found = sources
    .filter((file) => !mayName.test(relative(root, file.getFilePath())))
    // Comments may name them: only where the text does, each literal and identifier is looked at.
    .filter((file) => schedulersWordsIn(file.getFullText()).length > 0)
    .flatMap((file) =>
      file.getDescendants().flatMap((node) => {
        const isText = Node.isLiteralLike(node) || Node.isTemplateHead(node);
        const isTemplate = Node.isTemplateMiddle(node) || Node.isTemplateTail(node);
        if (!isText && !isTemplate && !Node.isIdentifier(node)) return [];
        return schedulersWordsIn(node.getText()).map(
          (word) => `${relative(root, file.getFilePath())}:${node.getStartLineNumber()} says ${word}`,
        );
      }),
    );
  expect(found).toEqual([]);
});

test('one file names the backends', () => {
  const inference = 'src/runtime/orchestrator/inference/';
  const found = imports.filter(({ from, to }) => from.startsWith(inference) && to === `${inference}onnx/backend.ts`);
  expect(found.map(({ from }) => from)).toEqual([`${inference}backends.ts`]);
});

test('what is named check… only checks, and is in the folder of checks', () => {
  const exported = sources
    .filter((file) => relative(root, file.getFilePath()).startsWith('src/compiler/passes/'))
    .flatMap((file) => file.getFunctions().filter((one) => one.isExported()));
  const place = (one: (typeof exported)[number]) => relative(root, one.getSourceFile().getFilePath());
  const inFolder = exported.filter((one) => place(one).startsWith('src/compiler/passes/check/'));
  expect(inFolder.length).toBeGreaterThan(15);
  expect(inFolder.filter((one) => !one.getReturnType().isVoid()).map(place)).toEqual([]);
  const named = exported.filter((one) => one.getName()?.startsWith('check'));
  expect(named.map(place)).toEqual(inFolder.map(place));
});

test('no default exports', () => {
  const found = sources.filter((file) => file.getDefaultExportSymbol() !== undefined);
  expect(found.map((file) => relative(root, file.getFilePath()))).toEqual([]);
});

/** Circles in a graph, each as its nodes in their order. */
function circlesOf(edges: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const circles = new Set<string>();
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): void => {
    const start = path.indexOf(node);
    if (start !== -1) circles.add([...path.slice(start), node].join(' → '));
    if (start !== -1 || done.has(node)) return;
    for (const next of edges.get(node) ?? []) visit(next, [...path, node]);
    done.add(node);
  };
  for (const node of edges.keys()) visit(node, []);
  return [...circles];
}

/** The imports of ours as a graph, of whatever stands for a file. */
function graphOf(of: (path: string) => string, some: (one: Import) => boolean): Map<string, Set<string>> {
  const edges = new Map<string, Set<string>>();
  for (const one of imports.filter((each) => each.to.startsWith('src/') && some(each))) {
    const [from, to] = [of(one.from), of(one.to)];
    if (from !== to) edges.set(from, (edges.get(from) ?? new Set()).add(to));
  }
  return edges;
}

test('files import each other in no circle, types included', () => {
  expect(
    circlesOf(
      graphOf(
        (path) => path,
        () => true,
      ),
    ),
  ).toEqual([]);
});

test('rooms import each other in no circle', () => {
  expect(
    circlesOf(
      graphOf(
        (path) => roomOf(path)?.[0] ?? path,
        ({ typeOnly }) => !typeOnly,
      ),
    ),
  ).toEqual([]);
});

describe('the rules themselves', () => {
  const judged = (from: string, to: string, typeOnly = false) => isAllowed({ place: '', from, to, typeOnly });

  const orchestrator = 'src/runtime/orchestrator/';

  test.each([
    ['a target, another target', 'src/targets/pbs/index.ts', 'src/targets/slurm/index.ts'],
    ['the runtime, the DSL', 'src/runtime/up/up.ts', 'src/dsl/index.ts'],
    ['the runtime, the compiler', 'src/runtime/up/up.ts', 'src/compiler/index.ts'],
    ['the runtime, a target', 'src/runtime/launch/launch.ts', 'src/targets/target.ts'],
    ['the runtime, a scheduler but for its queries', 'src/runtime/launch/launch.ts', 'src/targets/slurm/index.ts'],
    ['the runtime, the command line', 'src/runtime/main.ts', 'src/cli/table.ts'],
    ['the orchestrator, the IR', 'src/runtime/orchestrator/index.ts', 'src/ir/index.ts'],
    ['the AI layer, the protocol', `${orchestrator}ai/run-model.ts`, `${orchestrator}resp/reply.ts`],
    ['the AI layer, the keyspace', `${orchestrator}ai/run-dag.ts`, `${orchestrator}keyspace/keyspace.ts`],
    ['what runs models, the commands', `${orchestrator}inference/inference.ts`, `${orchestrator}commands/words.ts`],
    ['a pass, the disk', 'src/compiler/passes/lower.ts', 'node:fs'],
    ['a pass, a target', 'src/compiler/passes/lower.ts', 'src/targets/slurm/index.ts'],
    ['a pass, a launcher', 'src/compiler/passes/launch-stores.ts', 'src/targets/launchers/index.ts'],
    ['what emits, a pass', 'src/compiler/emit/job-script.ts', 'src/compiler/passes/lookup/visible-stores.ts'],
    ['what emits, a launcher', 'src/compiler/emit/job-script.ts', 'src/targets/launchers/index.ts'],
    ['a check, a pass', 'src/compiler/passes/check/check-cpus.ts', 'src/compiler/passes/allocate.ts'],
    ['what passes ask, a pass', 'src/compiler/passes/lookup/order.ts', 'src/compiler/passes/lower.ts'],
    ['a pass, what inspects', 'src/compiler/passes/lower.ts', 'src/compiler/inspect/index.ts'],
    ['the DSL, the compiler', 'src/dsl/index.ts', 'src/compiler/index.ts'],
    ['diagnostics, the IR', 'src/diagnostics/index.ts', 'src/ir/index.ts'],
    ['the runtime, the queries of one scheduler', 'src/runtime/launch/launch.ts', 'src/targets/slurm/queries.ts'],
    ['the list of queries, a scheduler but for its queries', 'src/targets/schedulers.ts', 'src/targets/pbs/index.ts'],
    ['what targets share, a target', 'src/targets/directives.ts', 'src/targets/slurm/index.ts'],
  ])('refuse: %s', (_what, from, to) => {
    expect(judged(from, to)).toBe(false);
  });

  test.each([
    ['SlurmHerald', ['slurm']],
    ['SLURM_JOB_ID', ['slurm']],
    ['/usr/bin/srun', ['srun']],
    ['isRunning', []],
    ['pubsub_channels', []],
    ['none', []],
  ])('%s says %j', (text, words) => {
    expect(schedulersWordsIn(text)).toEqual(words);
  });

  test('allow a pass the types of what was inspected', () => {
    expect(judged('src/compiler/passes/lower.ts', 'src/compiler/inspect/index.ts', true)).toBe(true);
  });
});
