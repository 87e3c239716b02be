import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder that holds the Python package `simwright`: beside this bundle, else that of the npm package or checkout. */
export function pythonPackageFolder(): string | undefined {
  const here = dirname(fileURLToPath(import.meta.url));
  if (holdsPackage(join(here, 'python'))) return join(here, 'python');
  for (let folder = here; folder !== dirname(folder); folder = dirname(folder)) {
    if (nameOf(folder) === 'simwright')
      return holdsPackage(join(folder, 'python')) ? join(folder, 'python') : undefined;
  }
  return undefined;
}

function holdsPackage(folder: string): boolean {
  return existsSync(join(folder, 'simwright/worker/__main__.py'));
}

function nameOf(folder: string): unknown {
  try {
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: unknown }).name;
  } catch {
    return undefined;
  }
}
