import type { CommandDeclaration } from '../../../ir/index.js';

/** The words of a program, after those of its container. */
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
