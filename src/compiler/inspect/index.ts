import { accessSync, constants, readFileSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Problem, Problems, type SourceLocation } from '../../diagnostics/index.js';
import {
  type ApplicationDeclaration,
  type AttachDeclaration,
  applicationsOf,
  declaredMembers,
  type ExperimentDeclaration,
  findTags,
  type MlModelDeclaration,
  parameterNames,
  type ScriptDeclaration,
  type TemplateTag,
} from '../../ir/index.js';
import { type Artifact, bytesArtifact, fileArtifact } from './artifact.js';
import { type AttachedFile, inspectAttached } from './attached-files.js';
import { type OnnxGraph, readOnnxGraph } from './onnx.js';

export { type Artifact, accessOf, bytesArtifact, mergeArtifacts } from './artifact.js';
export type { AttachedFile } from './attached-files.js';
export type { OnnxGraph, OnnxValue } from './onnx.js';

/** A template of an entity, with its tags. */
export interface InspectedTemplate {
  readonly source: string;
  readonly tags: readonly TemplateTag[];
}

/** An ML model's bytes; of an ONNX model its inputs and outputs too. */
export interface InspectedModel {
  readonly artifact: Artifact;
  readonly graph?: OnnxGraph;
}

/** What was read from the files that a declaration names. Passes work on this and never touch the disk. */
export interface Facts {
  readonly attached: ReadonlyMap<AttachDeclaration, readonly AttachedFile[]>;
  readonly templates: ReadonlyMap<ApplicationDeclaration, readonly InspectedTemplate[]>;
  readonly mlModels: ReadonlyMap<MlModelDeclaration, InspectedModel>;
  readonly scripts: ReadonlyMap<ScriptDeclaration, Artifact>;
  /** Files that are missing or of the wrong kind. */
  readonly problems: readonly Problem[];
}

/** Reads every file that the experiment names; relative paths are taken from the workflow's folder. */
export function inspectFiles(experiment: ExperimentDeclaration, workflowFile: string): Facts {
  const folder = dirname(workflowFile);
  const problems = new Problems();
  const attached = new Map<AttachDeclaration, readonly AttachedFile[]>();
  const templates = new Map<ApplicationDeclaration, readonly InspectedTemplate[]>();
  const mlModels = new Map<MlModelDeclaration, InspectedModel>();
  const scripts = new Map<ScriptDeclaration, Artifact>();
  for (const application of applicationsOf(experiment)) {
    const parameters = new Set(parameterNames(declaredMembers(application)));
    const found: InspectedTemplate[] = [];
    for (const attach of application.attach) {
      const files = inspectAttached(attach, folder, problems);
      attached.set(attach, files);
      for (const file of files) {
        if (file.kind !== 'configure') continue;
        const text = readTemplate(file.source, attach, problems);
        if (text !== undefined) found.push({ source: file.source, tags: findTags(text, attach.tag, parameters) });
      }
    }
    templates.set(application, found);
    for (const model of application.mlModels) {
      const facts = inspectMlModel(model, folder, problems);
      if (facts !== undefined) mlModels.set(model, facts);
    }
    for (const script of application.scripts) {
      const artifact = inspectScript(script, folder, problems);
      if (artifact !== undefined) scripts.set(script, artifact);
    }
  }
  return { attached, templates, mlModels, scripts, problems: problems.sorted() };
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

function inspectMlModel(model: MlModelDeclaration, folder: string, problems: Problems): InspectedModel | undefined {
  const { source, backend, name } = model;
  const call = `.addMlModel('${name}')`;
  const path = source.kind === 'file' ? existingFile(source.path, call, model, folder, problems) : undefined;
  if (source.kind === 'file' && path === undefined) return undefined;
  const artifact = () =>
    source.kind === 'bytes'
      ? bytesArtifact(`${fileName(name)}${extensions[backend]}`, source.bytes)
      : fileArtifact(path ?? '');
  if (backend !== 'ONNX') return { artifact: artifact() };
  try {
    const graph = readOnnxGraph(path ?? (source.kind === 'bytes' ? source.bytes : ''));
    return { artifact: artifact(), graph };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const what = path ?? 'its bytes';
    const hint = "export the model to the ONNX format, or name the file's own backend";
    problems.error('ML1001', `${call}: ${what} is no ONNX model: ${reason}`, model.at, hint);
    return undefined;
  }
}

const extensions: Readonly<Record<MlModelDeclaration['backend'], string>> = {
  ONNX: '.onnx',
  TORCH: '.pt',
  TF: '.pb',
  TFLITE: '.tflite',
};

function inspectScript(script: ScriptDeclaration, folder: string, problems: Problems): Artifact | undefined {
  const { source, name } = script;
  if (source.kind === 'text') return bytesArtifact(`${fileName(name)}.py`, Buffer.from(source.text));
  const path = existingFile(source.path, `.addScript('${name}')`, script, folder, problems);
  return path === undefined ? undefined : fileArtifact(path);
}

/** The absolute path of a file, unless there is none. */
function existingFile(
  given: string,
  call: string,
  { at }: MlModelDeclaration | ScriptDeclaration,
  folder: string,
  problems: Problems,
): string | undefined {
  const path = resolve(folder, given);
  const stat = statIfThere(path);
  if (stat?.isFile()) return readable(path, call, at, problems) ? path : undefined;
  if (stat === undefined) problems.error('FILE1001', `${call}: there is no file ${path}`, at);
  else problems.error('FILE1003', `${call}: ${path} is no file`, at);
  return undefined;
}

/** Like `statSync`, and undefined as well for links that go round in circles and names that are too long. */
function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function readable(path: string, call: string, at: SourceLocation | undefined, problems: Problems): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    problems.error('FILE1001', `${call}: ${path} cannot be read: ${reason}`, at);
    return false;
  }
}

function fileName(name: string): string {
  return name.replace(/[^\w.-]/g, '_');
}
