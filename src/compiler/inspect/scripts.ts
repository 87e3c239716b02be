import { readFileSync } from 'node:fs';
import type { Problems } from '../../diagnostics/index.js';
import type { ScriptDeclaration } from '../../ir/index.js';
import { checkScript } from '../../torchscript/index.js';
import { type Artifact, type Artifacts, bytesArtifact } from './artifact.js';
import { existingFile } from './existing-file.js';
import { artifactName } from './ml-models.js';

/** The file of a script; what is wrong in its text is a problem at its place in the file. */
export function inspectScript(
  script: ScriptDeclaration,
  folder: string,
  artifacts: Artifacts,
  problems: Problems,
): Artifact | undefined {
  const { source, name } = script;
  if (source.kind === 'text') {
    checkText(script, source.text, undefined, problems);
    return bytesArtifact(artifactName(name, '.py'), Buffer.from(source.text));
  }
  const path = existingFile(source.path, `.addScript('${name}')`, script.at, folder, problems);
  if (path === undefined) return undefined;
  checkText(script, readFileSync(path, 'utf8'), path, problems);
  return artifacts.ofFile(path);
}

function checkText({ name, at }: ScriptDeclaration, text: string, file: string | undefined, problems: Problems): void {
  for (const { kind, message, line, column } of checkScript(text)) {
    const place = file === undefined ? `line ${line}, column ${column}: ` : '';
    const said = `.addScript('${name}'): ${place}${message}`;
    const where = file === undefined ? at : { file, line, column };
    if (kind === 'subset') {
      const hint = 'it runs where the Python of the store has PyTorch, and nowhere else';
      problems.warning('ML1013', `${said} needs PyTorch`, where, hint);
    } else {
      problems.error('ML1012', said, where, 'PyTorch refuses it, too: a script consists of functions in TorchScript');
    }
  }
}
