import type { CommandDeclaration } from '../../../ir/index.js';

/** A program's own words, the container's in front. */
export function programWords({ executable, args, container }: CommandDeclaration): string[] {
  const own = [executable, ...args];
  if (container === undefined) return own;
  const { image, bind, pwd } = container;
  return [
    'apptainer',
    'exec',
    ...bind.flatMap((path) => ['--bind', path]),
    ...(pwd === undefined ? [] : ['--pwd', pwd]),
    ...container.args,
    image,
    ...own,
  ];
}
