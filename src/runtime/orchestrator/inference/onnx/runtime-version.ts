import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The version of the onnxruntime-node package at an absolute path, that of its folder or of a file in it. */
export function onnxRuntimeVersion(path: string | undefined): string | undefined {
  for (let folder = path ?? '/'; folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
        string,
        unknown
      >;
      if (name === 'onnxruntime-node') return String(version);
    } catch {
      // The package's own file may lie further up.
    }
  }
  return undefined;
}
