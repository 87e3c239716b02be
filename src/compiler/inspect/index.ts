import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Problem, Problems } from '../../diagnostics/index.js';
import {
  type ApplicationDeclaration,
  type AttachDeclaration,
  applicationsOf,
  type CommandDeclaration,
  commandsOf,
  declaredMembers,
  type ExperimentDeclaration,
  findTags,
  type MlModelDeclaration,
  parameterNames,
  type ScriptDeclaration,
  type TemplateTag,
} from '../../ir/index.js';
import { type Artifact, Artifacts } from './artifact.js';
import { type AttachedFile, inspectAttached } from './attached-files.js';
import { type InspectedModel, ModelInspector } from './ml-models.js';
import { type NamedFile, namedFiles } from './named-files.js';
import { readsOwnParams } from './own-number.js';
import { inspectScript } from './scripts.js';

export { type Artifact, accessOf, bytesArtifact, mergeArtifacts } from './artifact.js';
export type { AttachedFile } from './attached-files.js';
export type { InspectedModel } from './ml-models.js';
export type { NamedFile } from './named-files.js';

/** A template of an entity, with its tags. */
export interface InspectedTemplate {
  readonly source: string;
  readonly tags: readonly TemplateTag[];
}

/** Facts read from the files that a declaration names. Passes use these and do not read files themselves. */
export interface Facts {
  readonly attached: ReadonlyMap<AttachDeclaration, readonly AttachedFile[]>;
  readonly templates: ReadonlyMap<ApplicationDeclaration, readonly InspectedTemplate[]>;
  /** Applications with parameters that a program of theirs reads itself. */
  readonly readsParams: ReadonlySet<ApplicationDeclaration>;
  readonly mlModels: ReadonlyMap<MlModelDeclaration, InspectedModel>;
  readonly scripts: ReadonlyMap<ScriptDeclaration, Artifact>;
  /** Files beside the workflow that commands name by their words. */
  readonly namedFiles: ReadonlyMap<CommandDeclaration, readonly NamedFile[]>;
  /** Files that are missing or of the wrong kind. */
  readonly problems: readonly Problem[];
}

/** Reads every file that the experiment names; relative paths are taken from the workflow's folder. */
export function inspectFiles(experiment: ExperimentDeclaration, workflowFile: string): Facts {
  const folder = dirname(workflowFile);
  const problems = new Problems();
  const artifacts = new Artifacts();
  const models = new ModelInspector(folder, artifacts, problems);
  const attached = new Map<AttachDeclaration, readonly AttachedFile[]>();
  const templates = new Map<ApplicationDeclaration, readonly InspectedTemplate[]>();
  const readsParams = new Set<ApplicationDeclaration>();
  const mlModels = new Map<MlModelDeclaration, InspectedModel>();
  const scripts = new Map<ScriptDeclaration, Artifact>();
  const named = new Map<CommandDeclaration, readonly NamedFile[]>();
  for (const application of applicationsOf(experiment)) {
    const parameters = new Set(parameterNames(declaredMembers(application)));
    const found: InspectedTemplate[] = [];
    const seen = new Set<string>();
    for (const attach of application.attach) {
      const files = inspectAttached(attach, folder, artifacts, problems);
      attached.set(attach, files);
      for (const file of files) {
        if (file.kind === 'copy' && parameters.size > 0 && readsOwnParams(file.source)) readsParams.add(application);
        if (file.kind !== 'configure') continue;
        const key = JSON.stringify([file.source, attach.tag]);
        if (seen.has(key)) continue;
        seen.add(key);
        const text = readTemplate(file.source, attach, problems);
        if (text !== undefined) found.push({ source: file.source, tags: findTags(text, attach.tag, parameters) });
      }
    }
    templates.set(application, found);
    for (const command of commandsOf(application)) named.set(command, namedFiles(command, folder));
    for (const model of application.mlModels) {
      const facts = models.inspect(model);
      if (facts !== undefined) mlModels.set(model, facts);
    }
    for (const script of application.scripts) {
      const artifact = inspectScript(script, folder, artifacts, problems);
      if (artifact !== undefined) scripts.set(script, artifact);
    }
  }
  return { attached, templates, readsParams, mlModels, scripts, namedFiles: named, problems: problems.sorted() };
}

/** The bytes of a template; undefined, and a problem, for a file that is no text. */
function readTemplate(source: string, { at }: AttachDeclaration, problems: Problems): Buffer | undefined {
  const bytes = readFileSync(source);
  const nul = bytes.indexOf(0);
  if (nul < 0) return bytes;
  const message = `.attach(): configure '${source}' is no template: byte ${nul} is NUL`;
  problems.error('TMPL1010', message, at, 'copy it; a text in UTF-16 has to become UTF-8');
  return undefined;
}
