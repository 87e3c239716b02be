import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Problem, Problems } from '../../diagnostics/index.js';
import {
  type ApplicationDeclaration,
  type AttachDeclaration,
  applicationsOf,
  type ExperimentDeclaration,
  findTags,
  type MlModelDeclaration,
  type TemplateTag,
} from '../../ir/index.js';
import { type Artifact, bytesArtifact, fileArtifact } from './artifact.js';
import { type AttachedFile, inspectAttached } from './attached-files.js';
import { type OnnxGraph, readOnnxGraph } from './onnx.js';

export type { Artifact } from './artifact.js';
export type { AttachedFile } from './attached-files.js';
export type { OnnxGraph, OnnxValue } from './onnx.js';

/** A template of an entity, with its tags. */
export interface InspectedTemplate {
  readonly source: string;
  readonly tags: readonly TemplateTag[];
}

/** What was read from the files that a declaration names. Passes work on this and never touch the disk. */
export interface Facts {
  readonly attached: ReadonlyMap<AttachDeclaration, readonly AttachedFile[]>;
  readonly templates: ReadonlyMap<ApplicationDeclaration, readonly InspectedTemplate[]>;
  readonly mlModels: ReadonlyMap<MlModelDeclaration, { readonly artifact: Artifact; readonly graph: OnnxGraph }>;
  /** Files that are missing or of the wrong kind. */
  readonly problems: readonly Problem[];
}

/** Reads every file that the experiment names; relative paths are taken from the workflow's folder. */
export function inspectFiles(experiment: ExperimentDeclaration, workflowFile: string): Facts {
  const folder = dirname(workflowFile);
  const problems = new Problems();
  const attached = new Map<AttachDeclaration, readonly AttachedFile[]>();
  const templates = new Map<ApplicationDeclaration, readonly InspectedTemplate[]>();
  const mlModels = new Map<MlModelDeclaration, { artifact: Artifact; graph: OnnxGraph }>();
  for (const application of applicationsOf(experiment)) {
    const parameters = new Set(Object.keys(application.params?.values ?? {}));
    const found: InspectedTemplate[] = [];
    for (const attach of application.attach) {
      const files = inspectAttached(attach, folder, problems);
      attached.set(attach, files);
      for (const file of files) {
        if (file.kind !== 'configure') continue;
        found.push({ source: file.source, tags: findTags(readFileSync(file.source), attach.tag, parameters) });
      }
    }
    templates.set(application, found);
    for (const model of application.mlModels) {
      const facts = inspectMlModel(model, folder, problems);
      if (facts !== undefined) mlModels.set(model, facts);
    }
  }
  return { attached, templates, mlModels, problems: problems.sorted() };
}

function inspectMlModel(model: MlModelDeclaration, folder: string, problems: Problems) {
  const { source } = model;
  const path = source.kind === 'file' ? resolve(folder, source.path) : undefined;
  if (path !== undefined && !existsSync(path)) {
    problems.error('FILE1001', `.addMlModel('${model.name}'): there is no file ${path}`, model.at);
    return undefined;
  }
  if (path !== undefined && !statSync(path).isFile()) {
    problems.error('FILE1003', `.addMlModel('${model.name}'): ${path} is no file`, model.at);
    return undefined;
  }
  try {
    const graph = readOnnxGraph(path ?? (source.kind === 'bytes' ? source.bytes : ''));
    const artifact =
      source.kind === 'bytes'
        ? bytesArtifact(`${model.name.replace(/[^\w.-]/g, '_')}.onnx`, source.bytes)
        : fileArtifact(path ?? '');
    return { artifact, graph };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const what = path ?? 'its bytes';
    const hint = "export the model to the ONNX format, or name the file's own backend";
    problems.error('ML1001', `.addMlModel('${model.name}'): ${what} is no ONNX model: ${reason}`, model.at, hint);
    return undefined;
  }
}
