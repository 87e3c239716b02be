import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WorkflowError } from '../../diagnostics/index.js';
import { packageVersion } from '../package-version.js';
import type { OutputFile } from './emit-files.js';

const bundles = fileURLToPath(new URL('../../../dist/bundle', import.meta.url));

/** Folder of the Python package, which is beside the others of this package in a checkout and where it is installed. */
const python = fileURLToPath(new URL('../../../python', import.meta.url));

/** Folder of a compiled experiment that holds the runtime. */
const runtimeFolder = 'runtime/';

/**
 * The runtime as one file, and the client as a package that applications for Node import as `simwright/client` (`run/node_modules` links to
 * it). `folder` is empty, or ends in `/`.
 */
export function runtimeFiles(folder = runtimeFolder): OutputFile[] {
  const manifest = {
    name: 'simwright',
    version: packageVersion(),
    type: 'module',
    exports: { './client': './client.mjs' },
  };
  return [
    { path: `${folder}simwright.mjs`, mode: 0o644, content: { file: join(bundles, 'simwright.mjs') } },
    {
      path: `${folder}node_modules/simwright/client.mjs`,
      mode: 0o644,
      content: { file: join(bundles, 'client.mjs') },
    },
    {
      path: `${folder}node_modules/simwright/package.json`,
      mode: 0o644,
      content: `${JSON.stringify(manifest, null, 2)}\n`,
    },
  ];
}

/** The Python package `simwright`, whose workers run models of the Python frameworks for a store: sources alone, with no installation. */
export function pythonFiles(folder = runtimeFolder): OutputFile[] {
  return walk(python, 'simwright')
    .filter((path) => path.endsWith('.py'))
    .map((path) => ({ path: `${folder}python/${path}`, mode: 0o644, content: { file: join(python, path) } }));
}

/**
 * The files of ONNX Runtime for Linux on x86-64, from the packages installed beside this one.
 *
 * @throws WorkflowError if it is not installed.
 */
export function onnxRuntimeFiles(folder = runtimeFolder): OutputFile[] {
  const require = createRequire(import.meta.url);
  const files: OutputFile[] = [];
  for (const name of ['onnxruntime-node', 'onnxruntime-common']) {
    const installed = packageFolder(require, name);
    const wanted =
      name === 'onnxruntime-node' ? ['package.json', 'dist', 'bin/napi-v6/linux/x64'] : ['package.json', 'dist/cjs'];
    for (const path of wanted.flatMap((start) => walk(installed, start))) {
      if (path.endsWith('.map')) continue;
      const from = join(installed, path);
      files.push({ path: `${folder}node_modules/${name}/${path}`, mode: 0o644, content: { file: from } });
    }
  }
  return files;
}

function packageFolder(require: NodeJS.Require, name: string): string {
  for (const place of require.resolve.paths(name) ?? []) {
    if (existsSync(join(place, name, 'package.json'))) return join(place, name);
  }
  throw new WorkflowError({
    code: 'RUN1002',
    message: `${name} is not installed beside simwright, so compile cannot copy it`,
    hint: 'install it: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node',
  });
}

function walk(folder: string, path: string): string[] {
  const full = join(folder, path);
  if (!existsSync(full)) return [];
  if (statSync(full).isFile()) return [path];
  return readdirSync(full)
    .sort()
    .flatMap((name) => walk(folder, join(path, name)));
}
