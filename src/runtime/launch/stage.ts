import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import { type Entity, type Params, parameterNames, type StagedFile } from '../../ir/index.js';
import { ConfigTemplate } from '../configure/configure-template.js';
import { isCode } from '../job/job-folder.js';

/** Where a member's parameters are written, unless a file of the user's has that name. */
const paramsFile = 'params.json';

/** Writes members' directories: their files, and params.json. */
export class Stager {
  readonly #dir: string;
  readonly #entity: Entity;
  readonly #templates = new Map<StagedFile, ConfigTemplate>();
  /** All but the folders. */
  readonly #files: readonly Exclude<StagedFile, { kind: 'directory' }>[];
  /** Folders to be made, outer ones first. */
  readonly #folders: readonly string[];
  readonly #hasOwnParams: boolean;

  /** `dir` is the folder that holds plan.json. */
  constructor(dir: string, entity: Entity) {
    this.#dir = dir;
    this.#entity = entity;
    this.#files = entity.files.flatMap((file) => (file.kind === 'directory' ? [] : [file]));
    const folders = entity.files.map(({ kind, to }) => (kind === 'directory' ? to : dirname(to)));
    this.#folders = [...new Set(folders)].filter((folder) => folder !== '.').sort();
    this.#hasOwnParams = this.#files.some(({ to }) => to === paramsFile);
  }

  /**
   * Makes a member's directory, whole or not at all. One that is there already keeps what the application wrote, so that it can go on
   * from there, and gets its files anew, each whole or not at all; with `giveWay`, which moves it, the directory is new. Throws RUN1007.
   */
  stage(directory: string, params: Params, giveWay?: () => void): void {
    const part = `${directory}.part-${process.pid}`;
    try {
      if (giveWay !== undefined && existsSync(directory)) giveWay();
      makeFolder(part);
      for (const folder of this.#folders) mkdirSync(join(part, folder), { recursive: true });
      if (!this.#hasOwnParams) writeFileSync(join(part, paramsFile), `${JSON.stringify(params, undefined, 2)}\n`);
      for (const file of this.#files) this.#write(file, part, directory, params);
      if (existsSync(directory)) this.#renew(part, directory);
      else renameSync(part, directory);
    } catch (error) {
      rmSync(part, { recursive: true, force: true });
      if (error instanceof WorkflowError) throw error;
      throw new WorkflowError({
        code: 'RUN1007',
        message: `${relative(this.#dir, directory)} cannot be staged: ${error instanceof Error ? error.message : String(error)}`,
        cause: error,
      });
    }
  }

  #renew(part: string, directory: string): void {
    for (const folder of this.#folders) mkdirSync(join(directory, folder), { recursive: true });
    for (const { to } of this.#files) renameSync(join(part, to), join(directory, to));
    if (!this.#hasOwnParams) renameSync(join(part, paramsFile), join(directory, paramsFile));
    rmSync(part, { recursive: true, force: true });
  }

  #write(file: Exclude<StagedFile, { kind: 'directory' }>, part: string, directory: string, params: Params): void {
    const to = join(part, file.to);
    switch (file.kind) {
      case 'symlink':
        // Relative within DIR, which may be moved as a whole; seen from where the directory will be.
        symlinkSync(
          file.inPlan ? relative(dirname(join(directory, file.to)), join(this.#dir, file.target)) : file.target,
          to,
        );
        break;
      case 'copy':
        copyFileSync(this.#artifact(file.artifact, file.to), to, constants.COPYFILE_FICLONE);
        chmodSync(to, file.mode & 0o7777);
        break;
      case 'configure':
        writeFileSync(to, this.#template(file).render(params), { mode: file.mode & 0o7777 });
        chmodSync(to, file.mode & 0o7777);
        break;
    }
  }

  #template(file: Extract<StagedFile, { kind: 'configure' }>): ConfigTemplate {
    let template = this.#templates.get(file);
    if (template === undefined) {
      const parameters = new Set(parameterNames(this.#entity.members));
      const bytes = readFileSync(this.#artifact(file.artifact, file.to));
      template = new ConfigTemplate(file.to, bytes, file.tag, parameters);
      this.#templates.set(file, template);
    }
    return template;
  }

  #artifact(artifact: string, to: string): string {
    const path = join(this.#dir, artifact);
    if (existsSync(path)) return path;
    throw new WorkflowError({
      code: 'RUN1007',
      message: `${artifact}, which becomes ${to} of ${this.#entity.name}, is not there`,
      hint: 'compile the workflow again, or copy the folder of plan.json as a whole',
    });
  }
}

/** Makes a folder anew. That it is not there, and that the one around it is, is the rule. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (!isCode(error, 'ENOENT') && !isCode(error, 'EEXIST')) throw error;
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { recursive: true });
  }
}
