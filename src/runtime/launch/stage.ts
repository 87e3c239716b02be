import {
  chmodSync,
  constants,
  copyFileSync,
  lstatSync,
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

/** Writes members' directories: their files, and params.json. */
export class Stager {
  readonly #dir: string;
  readonly #entity: Entity;
  readonly #templates = new Map<StagedFile, ConfigTemplate>();

  /** `dir` is the folder that holds plan.json. */
  constructor(dir: string, entity: Entity) {
    this.#dir = dir;
    this.#entity = entity;
  }

  /**
   * Makes a member's directory, whole or not at all. One that is there already keeps what the application wrote, so that it can go on
   * from there, and gets its files anew, each whole or not at all; with `anew` it is replaced. Throws RUN1007.
   */
  stage(directory: string, params: Params, anew: boolean): void {
    const part = `${directory}.part-${process.pid}`;
    try {
      if (anew) rmSync(directory, { recursive: true, force: true });
      rmSync(part, { recursive: true, force: true });
      mkdirSync(part, { recursive: true });
      const files: readonly StagedFile[] = this.#entity.files;
      writeFileSync(join(part, 'params.json'), `${JSON.stringify(params, undefined, 2)}\n`);
      for (const file of files) this.#write(file, part, directory, params);
      if (lstatSync(directory, { throwIfNoEntry: false }) === undefined) renameSync(part, directory);
      else this.#renew(part, directory);
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
    for (const file of this.#entity.files) {
      const to = join(directory, file.to);
      mkdirSync(file.kind === 'directory' ? to : dirname(to), { recursive: true });
      if (file.kind !== 'directory') renameSync(join(part, file.to), to);
    }
    if (!this.#entity.files.some((file) => file.to === 'params.json')) {
      renameSync(join(part, 'params.json'), join(directory, 'params.json'));
    }
    rmSync(part, { recursive: true, force: true });
  }

  #write(file: StagedFile, part: string, directory: string, params: Params): void {
    const to = join(part, file.to);
    if (file.kind === 'directory') {
      mkdirSync(to, { recursive: true });
      return;
    }
    mkdirSync(dirname(to), { recursive: true });
    rmSync(to, { force: true });
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
        writeFileSync(to, this.#template(file).render(params));
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
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return path;
    throw new WorkflowError({
      code: 'RUN1007',
      message: `${artifact}, which becomes ${to} of ${this.#entity.name}, is not there`,
      hint: 'compile the workflow again, or copy the folder of plan.json as a whole',
    });
  }
}
