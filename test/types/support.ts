import { fileURLToPath } from 'node:url';
import { Project, ts } from 'ts-morph';

const root = fileURLToPath(new URL('../..', import.meta.url));
const project = new Project({ tsConfigFilePath: `${root}tsconfig.json`, skipAddingFilesFromTsConfig: true });

const head = "import { command, experiment, mlFile } from 'simwright';\nconst c = command('true');\n";

/** What the type checker says of a snippet that follows the usual imports: `LINE: TEXT`, lines of the snippet. */
export function diagnosticsOf(snippet: string): string[] {
  const file = project.createSourceFile(`${root}test/types/snippet.ts`, head + snippet, { overwrite: true });
  const found = file.getPreEmitDiagnostics().map((one) => {
    const text = ts.flattenDiagnosticMessageText(one.compilerObject.messageText, ' ').replace(/\s+/g, ' ');
    return `${(one.getLineNumber() ?? 0) - 2}: ${text}`;
  });
  project.removeSourceFile(file);
  return found;
}

/** Type instantiations that a snippet costs beyond those of the bare imports. */
export function instantiationsOf(snippet: string): number {
  return count(head + snippet) - count(head);
}

function count(text: string): number {
  const name = `${root}test/types/counted.ts`;
  const options = { ...project.getCompilerOptions(), noEmit: true };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.getSourceFile = (path, ...rest) =>
    path === name
      ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2023, true)
      : getSourceFile.call(host, path, ...rest);
  host.fileExists = (path) => path === name || fileExists.call(host, path);
  const program = ts.createProgram([name], options, host);
  const source = program.getSourceFile(name);
  const problems = program.getSemanticDiagnostics(source);
  if (problems.length > 0) throw new Error(ts.formatDiagnostics(problems, host));
  return program.getInstantiationCount();
}
