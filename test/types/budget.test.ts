import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const workflow = fileURLToPath(new URL('budget-workflow.ts', import.meta.url));

/** Program with a workflow that exists in memory only; `getInstantiationCount` is what `tsc --extendedDiagnostics` prints. */
function check(source: string): { readonly instantiations: number; readonly problems: string[] } {
  const config = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile).config as { compilerOptions: object };
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [workflow] }, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (path) => path === workflow || fileExists.call(host, path);
  host.getSourceFile = (path, language, ...rest) =>
    path === workflow ? ts.createSourceFile(path, source, language) : getSourceFile.call(host, path, language, ...rest);
  const program = ts.createProgram([workflow], options, host) as ts.Program & { getInstantiationCount(): number };
  const file = program.getSourceFile(workflow);
  if (file === undefined) throw new Error('the workflow is not in the program');
  const problems = program.getSemanticDiagnostics(file);
  return {
    instantiations: program.getInstantiationCount(),
    problems: problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
  };
}

const head = "import { command, experiment, mlFile } from 'simwright';\nconst run = command('run');\n";

/** A chain of `calls` calls that opens an entity with each fifth of them. */
function chain(calls: number): string {
  const made = Array.from({ length: calls }, (_, index) => {
    const entity = Math.floor(index / 5);
    const opened = entity % 2 === 0 ? `.ensemble('e${entity}', run)` : `.model('e${entity}', run)`;
    const described = [
      '.attach({ copy: "a" })',
      ".addMlModel('n', mlFile('n'), { backend: 'ONNX' })",
      '.colocate({ uds: true })',
      `.after('e${Math.max(0, entity - 1)}')`,
    ];
    return index % 5 === 0 ? opened : described[(index % 5) - 1];
  });
  return `${head}export default experiment('x')${made.join('\n  ')};\n`;
}

/** A chain of `calls` calls that opens an entity with each of them. */
function openings(calls: number): string {
  return `${head}export default experiment('x')${Array.from({ length: calls }, (_, i) => `.model('m${i}', run)`).join('\n')};\n`;
}

describe('the types of a chain of 200 calls', () => {
  test.each([
    ['that opens an entity with each fifth', chain, 7_000],
    ['that opens an entity with each', openings, 11_000],
  ])('%s stay within their budget', (_what, make, budget) => {
    // A chain with each call once: the types of options are resolved at their first use, whatever follows.
    const base = check(make(5));
    const of100 = check(make(100));
    const of200 = check(make(200));
    expect([...of100.problems, ...of200.problems]).toEqual([]);
    // 195 further calls: about 17 a call, 47 where each opens an entity.
    expect(of200.instantiations - base.instantiations).toBeLessThan(budget);
    // The second hundred costs no more than the first, so that a chain's cost is in proportion to its length.
    const first = of100.instantiations - base.instantiations;
    expect(of200.instantiations - of100.instantiations).toBeLessThan(1.1 * first);
    expect(first).toBeGreaterThan(1_000);
  });
});
