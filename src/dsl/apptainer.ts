import { callerLocation, type SourceLocation } from '../diagnostics/index.js';
import type { ContainerDeclaration } from '../ir/index.js';
import { type ContainerOptions, containerOptions, nonEmptyText } from '../ir/options/index.js';
import { type Arguments, show } from './arguments.js';

/** An image to run a command in, as `command(…).container()` takes it. */
export interface Container {
  readonly kind: 'apptainer';
  readonly at: SourceLocation | undefined;
  readonly image: string;
  readonly options: ContainerOptions;
}

/**
 * An Apptainer (Singularity) image: a file, or an address such as `docker://…`.
 *
 * @example command('python3', 'train.py').container(apptainer('train.sif', { bind: '/scratch', args: ['--nv'] }))
 */
export function apptainer(image: string, options: ContainerOptions = {}): Container {
  return Object.freeze({ kind: 'apptainer', at: callerLocation(apptainer), image, options });
}

/** A container with its options checked, as a node of the declaration. */
export function containerNode(checked: Arguments, container: Container): ContainerDeclaration | undefined {
  if (container?.kind !== 'apptainer') {
    const message = `${checked.call}: ${show(container)} is no container`;
    checked.problems.error('DSL1001', message, checked.at, "write apptainer('image.sif')");
    return undefined;
  }
  const options = checked.options(containerOptions, container.options);
  const image = checked.take(nonEmptyText, container.image, 'the image');
  const bind = isRecord(options['bind'])
    ? Object.entries(options['bind']).map(([host, inside]) => `${host}:${inside}`)
    : options['bind'];
  const node = checked.read(containerOptions, { ...options, bind });
  return image === undefined ? undefined : { kind: 'apptainer', at: container.at, image, ...node };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
