import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Project, ts } from 'ts-morph';
import { expect, test } from 'vitest';
import { optionsPage } from '../../scripts/options-page.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('docs/options.md is that of the tables (node --import tsx scripts/options-page.ts)', () => {
  expect(readFileSync(`${root}docs/options.md`, 'utf8')).toBe(optionsPage());
});

test('every option has a sentence', () => {
  const rows = [...readFileSync(`${root}docs/options.md`, 'utf8').matchAll(/^\| `(\w+)`.*\| (.*) \|$/gm)];
  expect(rows.length).toBeGreaterThan(70);
  expect(rows.filter(([, , sentence]) => !sentence?.endsWith('.')).map(([, name]) => name)).toEqual([]);
});

/** Comments that a user's editor shows of properties, from the package's declarations as they are published. */
function hoversOf(workflow: string, names: readonly string[]): (string | undefined)[] {
  const source = new Project({ tsConfigFilePath: `${root}tsconfig.build.json`, skipAddingFilesFromTsConfig: true });
  source.compilerOptions.set({ emitDeclarationOnly: true, outDir: `${root}.cache/declarations` });
  source.addSourceFileAtPath(`${root}src/index.ts`);
  source.resolveSourceFileDependencies();
  const user = new Project({ tsConfigFilePath: `${root}tsconfig.json`, skipAddingFilesFromTsConfig: true });
  user.compilerOptions.set({ paths: { simwright: ['./.cache/declarations/index.d.ts'] } });
  for (const { filePath, text } of source.emitToMemory({ emitOnlyDtsFiles: true }).getFiles()) {
    user.createSourceFile(filePath, text, { overwrite: true });
  }
  const file = user.createSourceFile(`${root}test/docs/hovered.ts`, workflow);
  expect(file.getPreEmitDiagnostics().map((one) => one.getMessageText())).toEqual([]);
  return names.map((name) => {
    const at = workflow.indexOf(` ${name}:`) + 1;
    const info = user.getLanguageService().compilerObject.getQuickInfoAtPosition(file.getFilePath(), at);
    const tags = (info?.tags ?? []).map((tag) => ` @${tag.name} ${ts.displayPartsToString(tag.text)}`);
    return `${ts.displayPartsToString(info?.documentation)}${tags.join('')}`;
  });
}

test('the editor shows the comment and the default of an option, from the published declarations', () => {
  const workflow = `import { command, experiment, mlFile } from 'simwright';
experiment('e').orchestrator({ name: 's', maxMemory: '16G' }).model('a', command('x'))
  .attach({ tag: '@' }).colocate({ uds: true, permissions: 0o700 }).after('s', { key: 'k' })
  .addMlModel('n', mlFile('n.onnx'), { backend: 'ONNX', device: 'GPU' }).batch({ mode: 'array' });`;
  expect(hoversOf(workflow, ['name', 'maxMemory', 'tag', 'uds', 'key', 'device', 'mode'])).toEqual([
    "Name of the store: SmartRedis's identifier as well, unless it is the default. @default 'orchestrator'",
    "Memory for its keys: `'16G'`. @default no limit",
    "Delimiter of the tags of these templates, taken literally. @default ';'",
    'True for a store over a Unix socket.',
    'Name of the key as the store has it, prefix and all.',
    "Device that runs it. @default 'CPU'",
    "Members of an ensemble as steps of one job (`packed`), as elements of a job array, or each as a job (`separate`). @default 'packed'",
  ]);
});
