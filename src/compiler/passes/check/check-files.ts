import type { Problems } from '../../../diagnostics/index.js';
import { type ApplicationDeclaration, applicationsOf, type CommandDeclaration, commandsOf } from '../../../ir/index.js';
import { quoteShellWord } from '../../../targets/quoting.js';
import type { AttachedFile, Facts } from '../../inspect/index.js';
import type { Reads } from '../compilation.js';
import { attachedFiles } from '../lookup/attached-files.js';

/** Relative executables are attached, and no two attached files have the same destination. */
export function checkFiles({ experiment, facts }: Reads<'experiment' | 'facts'>, problems: Problems): void {
  problems.add(facts.problems);
  for (const application of applicationsOf(experiment)) {
    const files = attachedFiles(application, facts);
    const places = new Map<string, AttachedFile>();
    for (const file of files) {
      const other = places.get(file.to);
      places.set(file.to, file);
      if (other === undefined || (file.kind === 'directory' && other.kind === 'directory')) continue;
      const hint = 'rename one of them, or attach only one';
      problems.error('FILE1004', `'${application.name}' would get two files named '${file.to}'`, file.attach.at, hint);
    }
    for (const command of commandsOf(application)) {
      checkExecutable(application, command, files, problems);
      checkNamedFiles(application, command, files, facts, problems);
    }
  }
}

/** Warns of words that name a file beside the workflow that is not attached: the program will not find it in its own directory. */
function checkNamedFiles(
  application: ApplicationDeclaration,
  command: CommandDeclaration,
  files: readonly AttachedFile[],
  facts: Facts,
  problems: Problems,
): void {
  const lines = [...(application.setup?.commands ?? []), ...(application.batch?.preamble ?? [])];
  for (const { word, path, name, module } of facts.namedFiles.get(command) ?? []) {
    if (files.some(({ kind, to }) => kind !== 'directory' && to === path)) continue;
    // The setup may put the file there.
    if (lines.some((line) => line.includes(name))) continue;
    const top = files.find(({ kind, to }) => kind !== 'directory' && to === name);
    const what = module === undefined ? `'${word}'` : `${word} (${path})`;
    const message = `command('${command.executable}', …): ${what} lies beside the workflow, and not in the directory of '${application.name}', where it is looked for`;
    const hint =
      top !== undefined
        ? `attached files come to the top of that directory: write '${name}'`
        : path === name
          ? `add .attach({ copy: ['${path}'] })`
          : module !== undefined
            ? `add .attach({ copy: ['**/${module}/**'] }), a glob that keeps its folder, or set PYTHONPATH by .env()`
            : `add .attach({ copy: ['${path}'] }) and write '${name}', or write its absolute path on the cluster`;
    problems.warning('FILE1010', message, command.at, hint);
  }
}

function checkExecutable(
  application: ApplicationDeclaration,
  { executable, container, at }: CommandDeclaration,
  files: readonly AttachedFile[],
  problems: Problems,
): void {
  if (container !== undefined && !/^(\/|[a-z]+:\/\/)/.test(container.image)) {
    const image = container.image.replace(/^(\.\/)+/, '');
    if (!files.some((file) => file.to === image && file.kind !== 'directory')) {
      const message = `apptainer('${container.image}'): a relative image has to be attached to '${application.name}'`;
      problems.error('FILE1002', message, container.at, 'write its absolute path on the cluster, a URI, or attach it');
    }
  }
  if (executable.startsWith('/') || !executable.includes('/')) return;
  const staged = executable.replace(/^(\.\/)+/, '');
  const found = files.find((file) => file.to === staged && file.kind !== 'directory');
  if (found !== undefined) {
    if ('mode' in found && (found.mode & 0o111) === 0) {
      const message = `command('${executable}'): ${found.source} may not be executed`;
      problems.error('FILE1003', message, at, `chmod +x ${quoteShellWord(found.source)}`);
    }
    return;
  }
  // Attached files are put at the top of the directory.
  const name = staged.split('/').at(-1);
  const hint =
    name === staged
      ? `add .attach({ copy: ['${staged}'] }), or write its absolute path on the cluster`
      : `write command('./${name}') and .attach({ copy: ['${staged}'] }), or its absolute path on the cluster`;
  problems.error(
    'FILE1002',
    `command('${executable}'): a relative executable has to be attached to '${application.name}'`,
    at,
    hint,
  );
}
