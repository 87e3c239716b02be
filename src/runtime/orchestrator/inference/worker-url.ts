import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** The module that an inference thread runs when nothing else is named: the built file, or its source in a checkout. */
export function defaultWorkerUrl(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./worker-entry.${extension}`, import.meta.url);
}

/** What to start a thread with so that it runs the module: a TypeScript source goes through tsx. */
export function startable(url: URL): URL {
  if (!url.pathname.endsWith('.ts')) return url;
  const tsx = new URL(
    'dist/esm/api/index.mjs',
    pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json')),
  ).href;
  const source = `import { register } from ${JSON.stringify(tsx)};\nregister();\nawait import(${JSON.stringify(url.href)});`;
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}
