import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { InferenceWorkerData } from './messages.js';
import { isolatedProcess } from './role.js';

/** The module that an inference thread runs when nothing else is named: the built file, or its source in a checkout. */
export function defaultWorkerUrl(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./worker-entry.${extension}`, import.meta.url);
}

/** URL to start a thread with so that it runs the module: a TypeScript source goes through tsx. */
export function startable(url: URL): URL {
  if (!url.pathname.endsWith('.ts')) return url;
  const tsx = ofTsx('dist/esm/api/index.mjs');
  const source = `import { register } from ${JSON.stringify(tsx)};\nregister();\nawait import(${JSON.stringify(url.href)});`;
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}

/** Command line of Node that runs the module in a process of its own. */
export function processArguments(
  url: string,
  data: InferenceWorkerData,
): { readonly path: string; readonly words: readonly string[]; readonly execArgv: string[] } {
  return {
    path: fileURLToPath(url),
    words: [isolatedProcess, JSON.stringify(data)],
    execArgv: [
      ...(url.endsWith('.ts') ? ['--import', ofTsx('dist/loader.mjs')] : []),
      // The signal that schedulers send as a warning opens Node's debugger otherwise.
      ...['--disable-sigusr1'].filter((flag) => process.allowedNodeEnvironmentFlags.has(flag)),
    ],
  };
}

function ofTsx(file: string): string {
  return new URL(file, pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'))).href;
}
