import * as z from 'zod';
import { directiveText } from '../directive-text.js';
import { list, type Options, type OptionsOf, quantity, value } from './option.js';
import { memory, nonEmptyText, plainText, positive } from './values.js';

export const attachOptions = {
  /** Files to copy, with their mode bits. */
  copy: list(plainText).or([]),
  /** Files to link to. */
  symlink: list(plainText).or([]),
  /** Templates to copy, with each tag `;NAME;` replaced by the parameter's value. */
  configure: list(plainText).or([]),
  /** Delimiter of the tags of these templates, taken literally. @default ';' */
  tag: value(plainText).or(';'),
};

/** Files of an entity's directory: paths or globs relative to the workflow's folder. A directory stands for what is in it. */
export interface AttachOptions extends OptionsOf<typeof attachOptions>, Options {}

export const afterKeyOptions = {
  /** Name of the key as the store has it, prefix and all. */
  key: value(nonEmptyText).required(),
  /** Name of the store. @default the one that the entity sees without a name */
  orchestrator: value(nonEmptyText),
};

/** A key that the entity writes, to wait for. */
export interface AfterKeyOptions extends OptionsOf<typeof afterKeyOptions>, Options {}

export const requiresOptions = {
  /** Features that they must have, in the scheduler's own words. */
  constraint: value(directiveText),
  /** GPUs on each node. */
  gpusPerNode: value(positive),
  /** Memory on each node: `'512G'`. */
  memory: quantity(memory).as('memoryMiB'),
  /** Queue or partition. */
  queue: value(directiveText),
  /** True for nodes of its own inside the job: nothing else runs there but what shares its nodes. @default false */
  apart: value(z.boolean()),
};

/** Demands on an entity's nodes. Entities of one job that differ make it a heterogeneous job. */
export interface RequiresOptions extends OptionsOf<typeof requiresOptions>, Options {}

export const setupOptions = {
  /** Environment modules to load, after the job's. */
  modules: list(nonEmptyText).or([]),
  /** Lines of shell to run then. */
  commands: list(plainText).or([]),
};

/** Preparations for an entity's launch, in a subshell of its own. */
export interface SetupOptions extends OptionsOf<typeof setupOptions>, Options {}

const bind = plainText.refine((text) => /^\/[^,]*$/.test(text), "each entry starts with '/' and holds no comma");
const absolute = plainText.refine((text) => text.startsWith('/'), "it starts with '/'");

export const containerOptions = {
  /** Folders of the host to see inside: `'/scratch'`, `'/data:/input'`, `'/data:/input:ro'`, or as `{ '/data': '/input' }`. */
  bind: list(bind).typed<string | readonly string[] | Readonly<Record<string, string>>>().or([]),
  /** Arguments of `apptainer exec`, in front of the image: `['--nv']`. */
  args: list(plainText).or([]),
  /** Working directory inside. @default the entity's own directory */
  pwd: value(absolute),
};

/** Options of a container. */
export interface ContainerOptions extends OptionsOf<typeof containerOptions>, Options {}
