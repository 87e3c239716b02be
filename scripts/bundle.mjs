// Writes the runtime and the client as one file each, dist/bundle/simwright.mjs and dist/bundle/client.mjs, and what users start and import
// as a few files, dist/chunks: a cluster's file system takes its time for each of a thousand modules.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
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

/** Modules that users and the command line's processes start with: their names in dist/chunks, and their places in dist. */
const firsts = {
  index: 'index.js',
  sites: 'sites/index.js',
  testing: 'testing/index.js',
  'testing-vitest': 'testing/vitest.js',
  client: 'runtime/client/index.js',
  program: 'cli/program.js',
  'rehearsal-server': 'rehearse/server.js',
  'rehearsal-standin': 'rehearse/standin.js',
};

/** Modules of dist still find their files where they were: a chunk says for each of them which one it was. */
const ownPlaces = {
  name: 'own places',
  /** @param {import('esbuild').PluginBuild} build */
  setup({ onLoad }) {
    onLoad({ filter: /\/dist\/.*\.js$/ }, ({ path }) => {
      const place = JSON.stringify(`../${relative(`${root}/dist`, path)}`);
      const text = readFileSync(path, 'utf8');
      return { contents: text.replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`), loader: 'js' };
    });
  },
};

/** Writes dist/chunks from what tsc has left in dist, and has the first modules lead there. */
export async function chunks() {
  const outdir = `${root}/dist/chunks`;
  rmSync(outdir, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(Object.entries(firsts).map(([name, path]) => [name, `dist/${path}`])),
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: 'chunk-[hash]',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    legalComments: 'inline',
    metafile: true,
    // Programs with files of their own, and those that a user has or has not.
    external: ['esbuild', 'onnxruntime-node', 'tsx', 'typescript', 'vitest'],
    plugins: [ownPlaces],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
    },
  });
  for (const [name, path] of Object.entries(firsts)) {
    const target = relative(dirname(`${root}/dist/${path}`), `${outdir}/${name}.js`);
    writeFileSync(`${root}/dist/${path}`, `export * from '${target.startsWith('.') ? target : `./${target}`}';\n`);
  }
  writeFileSync(`${outdir}/LICENCES.txt`, licences(Object.keys(metafile.inputs)));
}

/**
 * Licences of the packages that these modules are of.
 * @param {readonly string[]} modules paths below the project
 */
function licences(modules) {
  const packages = new Set(modules.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
  return [...packages]
    .sort()
    .map((path) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'));
      const file = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license', 'LICENCE']
        .map((one) => join(root, path, one))
        .find(existsSync);
      return `${name} ${version}: ${license}\n\n${file === undefined ? '' : readFileSync(file, 'utf8').trim()}\n`;
    })
    .join('\n----\n\n');
}

/** Writes the command line's first file as every Node.js reads it: not as a module, which tsc would make of it. */
export async function frontDoor() {
  const { code } = await transform(readFileSync(`${root}/src/cli/main.ts`, 'utf8'), { loader: 'ts', target: 'es2015' });
  writeFileSync(`${root}/dist/cli/main.js`, code);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await bundle(process.argv[2] ?? `${root}/dist/bundle`);
  if (process.argv[2] === undefined) {
    await chunks();
    await frontDoor();
  }
}
