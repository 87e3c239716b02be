// Writes python/ as a wheel, dist/python/simwright-VERSION-py3-none-any.whl: a zip of the package's files and a folder of metadata.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import AdmZip from 'adm-zip';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Value of a line `name = "value"` of pyproject.toml, or all values of a list on one line. */
function fieldOf(toml, name) {
  const line = toml.split('\n').find((one) => one.startsWith(`${name} = `));
  if (line === undefined) throw new Error(`pyproject.toml has no ${name}`);
  return [...line.slice(name.length + 3).matchAll(/"([^"]*)"/g)].map(([, value]) => value);
}

/** Lines of the table of extras: each a name, and what it needs. */
function extrasOf(toml) {
  const [, table] = /\[project\.optional-dependencies\]\n((?:.+\n)*)/.exec(toml) ?? [];
  const names = (table ?? '').split('\n').flatMap((line) => line.split(' = ')[0] || []);
  return names.map((name) => [name, fieldOf(table, name)]);
}

function metadata(toml) {
  const required = fieldOf(toml, 'dependencies').map((one) => `Requires-Dist: ${one}`);
  const extras = extrasOf(toml).flatMap(([name, needs]) => [
    `Provides-Extra: ${name}`,
    ...needs.map((one) => `Requires-Dist: ${one}; extra == "${name}"`),
  ]);
  return [
    'Metadata-Version: 2.1',
    'Name: simwright',
    `Version: ${version}`,
    `Summary: ${fieldOf(toml, 'description')[0]}`,
    'License: Apache-2.0',
    ...fieldOf(toml, 'classifiers').map((one) => `Classifier: ${one}`),
    `Requires-Python: ${fieldOf(toml, 'requires-python')[0]}`,
    ...required,
    ...extras,
    '',
  ].join('\n');
}

/** The files of the wheel by name, in their order. */
function contents() {
  const packages = join(root, 'python');
  const names = readdirSync(join(packages, 'simwright'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.py') || name === 'py.typed')
    .map((name) => `simwright/${name}`)
    .sort();
  const info = `simwright-${version}.dist-info`;
  const toml = readFileSync(join(packages, 'pyproject.toml'), 'utf8');
  const files = [
    ...names.map((name) => [name, readFileSync(join(packages, name))]),
    [`${info}/METADATA`, Buffer.from(metadata(toml))],
    [
      `${info}/WHEEL`,
      Buffer.from('Wheel-Version: 1.0\nGenerator: simwright\nRoot-Is-Purelib: true\nTag: py3-none-any\n'),
    ],
    [`${info}/LICENSE`, readFileSync(join(root, 'LICENSE'))],
    [`${info}/top_level.txt`, Buffer.from('simwright\n')],
  ];
  const digest = (bytes) => createHash('sha256').update(bytes).digest('base64url');
  const record = files.map(([name, bytes]) => `${name},sha256=${digest(bytes)},${bytes.length}\n`);
  return [...files, [`${info}/RECORD`, Buffer.from(`${record.join('')}${info}/RECORD,,\n`)]];
}

/** @param {string} folder where the wheel goes; made if it is not there */
export function writeWheel(folder) {
  const init = readFileSync(join(root, 'python/simwright/__init__.py'), 'utf8');
  if (!init.includes(`__version__ = "${version}"`)) throw new Error(`python/simwright is not of version ${version}`);
  const zip = new AdmZip();
  for (const [name, bytes] of contents()) {
    zip.addFile(name, bytes, '', 0o644);
    // The same files give the same bytes, whenever they were written.
    zip.getEntry(name).header.time = new Date(1980, 0, 1);
  }
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `simwright-${version}-py3-none-any.whl`);
  writeFileSync(path, zip.toBuffer());
  return path;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log(writeWheel(process.argv[2] ?? join(root, 'dist/python')));
