// Writes the runtime and the client as one file each: dist/bundle/simwright.mjs and dist/bundle/client.mjs.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

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

/** Writes the command line's first file as every Node.js reads it: not as a module, which tsc would make of it. */
export async function frontDoor() {
  const { code } = await transform(readFileSync(`${root}/src/cli/main.ts`, 'utf8'), { loader: 'ts', target: 'es2015' });
  writeFileSync(`${root}/dist/cli/main.js`, code);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await bundle(process.argv[2] ?? `${root}/dist/bundle`);
  if (process.argv[2] === undefined) await frontDoor();
}
