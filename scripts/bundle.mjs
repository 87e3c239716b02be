// Writes the runtime and the client as one file each: dist/bundle/simwright.mjs and dist/bundle/client.mjs.
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));

/** @param {string} outdir folder for the bundles, made if it is not there */
export async function bundle(outdir) {
  mkdirSync(outdir, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: { simwright: 'src/runtime/main.ts', client: 'src/runtime/client/index.ts' },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'inline',
    external: ['onnxruntime-node'],
    define: { __SIMWRIGHT_VERSION__: JSON.stringify(version) },
    banner: {
      js: [
        `// simwright ${version}`,
        "import { createRequire as __createRequire } from 'node:module';",
        'const require = __createRequire(import.meta.url);',
      ].join('\n'),
    },
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(process.argv[2] ?? `${root}/dist/bundle`);
