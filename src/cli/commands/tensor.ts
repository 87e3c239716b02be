import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { WorkflowError } from '../../diagnostics/index.js';
import { type Dtype, elementBytes, elementCount } from '../../ml/dtypes.js';
import { ClientError, type Tensor } from '../../runtime/client/index.js';
import { readSettings } from '../../runtime/client/settings.js';
import { Shards } from '../../runtime/client/shards.js';
import { bytesOf, tensorOfReply } from '../../runtime/client/tensor.js';
import { writeAtomically } from '../../runtime/job/write-atomically.js';
import { NpyError, npyHeader, parseNpy } from '../../runtime/npy/npy.js';
import { quoteShellWord } from '../../targets/quoting.js';
import { compiledEnding } from '../compiled-folder.js';
import { openFolder } from '../jobs/folder.js';
import { runningStores } from '../jobs/stores.js';
import { printJson } from '../print-json.js';
import { reported } from '../reported.js';
import { formatTable } from '../table.js';

const mostRows = 20;
const mostColumns = 12;
const keysAtOnce = 1000;

interface Options {
  readonly address?: string;
  readonly npy?: string;
  readonly json?: boolean;
}

/** `simwright tensor`: looks into a running store. Keys are taken literally, without prefixes. */
export function tensorCommand(): Command {
  const tensor = new Command('tensor').description('look at the tensors of a running store');
  const subcommand = (name: string, description: string): Command =>
    tensor
      .command(name)
      .description(description)
      .option(
        '--address <address>',
        'host:port or unix://PATH of the store (default: $SSDB, else the store that runs in the compiled folder here)',
      )
      .addOption(new Option('--json', 'print one JSON document'));
  subcommand('ls [pattern]', 'list tensors: keys, types, shapes, bytes').action(
    reported((pattern: string | undefined, options: Options) =>
      withStore(options, async (store) => {
        const tensors = await tensorsOf(store, pattern ?? '*');
        if (options.json) printJson({ ok: true, tensors });
        else process.stdout.write(tableOf(tensors));
      }),
    ),
  );
  subcommand('get <key>', 'print a tensor, or write it to a file')
    .option('--npy <file>', "write it as NumPy's .npy file; - for standard output")
    .action(reported((key: string, options: Options) => withStore(options, (store) => get(store, key, options))));
  subcommand('put <key> <file>', 'store the array of a .npy file').action(
    reported((key: string, file: string, options: Options) =>
      withStore(options, async (store) => {
        const stored = await put(store, key, file);
        if (options.json) printJson({ ok: true, key, ...stored });
      }),
    ),
  );
  subcommand('rm <key...>', 'delete tensors').action(
    reported((keys: string[], options: Options) =>
      withStore(options, async (store) => {
        await remove(store, keys);
        if (options.json) printJson({ ok: true, removed: keys });
      }),
    ),
  );
  return tensor;
}

async function withStore({ address }: Options, work: (store: Shards) => Promise<void>): Promise<void> {
  let store: Shards | undefined;
  try {
    const { env } = process;
    // Fail at once: do not wait for a store to start.
    const once = { SR_CONN_TIMEOUT: '0', SR_CMD_TIMEOUT: '0' };
    const SSDB = address ?? (env['SSDB'] || storeHere(process.cwd()));
    store = await Shards.open(readSettings({ ...env, ...once, SSDB }));
    await work(store);
  } catch (error) {
    throw asProblem(error);
  } finally {
    await store?.close();
  }
}

/** Address of the one store that runs in the compiled folders of a folder: itself, and those that `compile` names. @throws WorkflowError TNSR1001 */
function storeHere(folder: string): string {
  const names = readdirSync(folder).filter((name) => name.endsWith(compiledEnding));
  const folders = ['.', ...names].filter((name) => existsSync(join(folder, name, 'plan.json')));
  const stores = folders.flatMap((name) => {
    const { plan, dir } = openFolder(join(folder, name));
    return runningStores(plan, dir).map((store) => ({ ...store, folder: name }));
  });
  const [first, ...others] = stores;
  if (first !== undefined && others.length === 0) return first.address;
  const rows = stores.map((one) => `${one.name} of ${one.folder}: --address ${quoteShellWord(one.address)}`);
  const where = folders.length === 0 ? 'no compiled folder is here' : `no store runs in ${folders.join(', ')}`;
  throw new WorkflowError({
    code: 'TNSR1001',
    message: stores.length === 0 ? `which store? ${where}` : ['which store? Several run here:', ...rows].join('\n  - '),
    hint: 'name it with --address, or in SSDB; in the folder that compile wrote, or in that of the workflow, the store of a running job is found',
  });
}

/** Converts a refusal by the store, or an error of a file, to a problem; returns any other error as it is. */
function asProblem(error: unknown): unknown {
  if (error instanceof ClientError)
    return new WorkflowError({ code: 'TNSR1001', message: error.message, cause: error });
  if (!(error instanceof NpyError) && !isFileError(error)) return error;
  return new WorkflowError({ code: 'TNSR1002', message: error.message, cause: error });
}

interface Listed {
  /** The key; bytes that are not text are shown as escapes. */
  readonly key: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Total size of its elements in bytes; null for texts, whose lengths vary. */
  readonly bytes: number | null;
}

async function tensorsOf(store: Shards, pattern: string): Promise<Listed[]> {
  const found: Listed[] = [];
  for (const shard of store.all) {
    let cursor = '0';
    do {
      const scan = ['SCAN', cursor, 'MATCH', pattern, 'COUNT', String(keysAtOnce), 'TYPE', 'ai_tensor'];
      const [next, keys] = (await shard.send(...scan)) as [Buffer, Buffer[]];
      const metas = await Promise.allSettled(keys.map((key) => shard.send('AI.TENSORGET', key, 'META')));
      for (const [index, meta] of metas.entries()) {
        // Others may delete keys meanwhile.
        if (meta.status === 'rejected') continue;
        const [, type, , shape] = meta.value as [unknown, Buffer, unknown, number[]];
        const bytes = elementCount(shape) * elementBytes[String(type) as Dtype] || null;
        found.push({ key: printable(keys[index] as Buffer), dtype: String(type), shape, bytes });
      }
      cursor = String(next);
    } while (cursor !== '0');
  }
  return found.sort((one, other) => (one.key < other.key ? -1 : 1));
}

function tableOf(found: readonly Listed[]): string {
  if (found.length === 0) return 'no tensors\n';
  const rows = found.map(({ key, dtype, shape, bytes }) => [key, dtype, `[${shape.join(', ')}]`, String(bytes ?? '-')]);
  return `${formatTable([['KEY', 'TYPE', 'SHAPE', 'BYTES'], ...rows])}\n`;
}

async function get(store: Shards, key: string, { npy, json }: Options): Promise<void> {
  if (json && npy === '-') {
    const message = '--json and --npy - both write to standard output';
    throw new WorkflowError({ code: 'CLI1001', message, hint: 'name a file after --npy' });
  }
  const tensor = tensorOfReply(await store.of(key).send('AI.TENSORGET', key, 'META', 'BLOB'));
  if (json) {
    if (npy !== undefined) writeAtomically(npy, [npyHeader(tensor.dtype, tensor.shape), bytesOf(tensor)]);
    const { dtype, shape } = tensor;
    printJson({ ok: true, key, dtype, shape, ...(npy === undefined ? { values: valueList(tensor) } : { file: npy }) });
    return;
  }
  if (npy === undefined) {
    process.stdout.write(`${tensor.dtype} [${tensor.shape.join(', ')}]\n${valuesOf(tensor)}`);
    return;
  }
  const header = npyHeader(tensor.dtype, tensor.shape);
  if (npy === '-') {
    process.stdout.write(header);
    process.stdout.write(bytesOf(tensor));
  } else writeAtomically(npy, [header, bytesOf(tensor)]);
}

/** All values in a row; numbers that JSON does not have, or not exactly, as texts. */
function valueList({ data }: Tensor): (number | string | boolean)[] {
  return [...data].map((value) =>
    typeof value === 'number' && !Number.isFinite(value)
      ? String(value)
      : typeof value === 'bigint'
        ? String(value)
        : value,
  );
}

async function put(store: Shards, key: string, file: string): Promise<Pick<Tensor, 'dtype' | 'shape'>> {
  const bytes = readFileSync(file);
  try {
    const { dtype, shape, dataAt } = parseNpy(bytes);
    const dimensions = (shape.length === 0 ? [1] : shape).map(String);
    await store.of(key).send('AI.TENSORSET', key, dtype, ...dimensions, 'BLOB', bytes.subarray(dataAt));
    return { dtype, shape: dimensions.map(Number) };
  } catch (error) {
    throw error instanceof NpyError ? new NpyError(`${file} cannot be stored: ${error.message}`) : error;
  }
}

async function remove(store: Shards, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const type = String(await store.of(key).send('TYPE', key));
    if (type !== 'AI_TENSOR') {
      throw new ClientError(type === 'none' ? `there is no tensor '${key}'` : `'${key}' is no tensor but a ${type}`);
    }
    await store.of(key).send('DEL', key);
  }
}

/** A row of the last dimension a line. */
function valuesOf({ shape, data }: Tensor): string {
  const columns = shape.at(-1) ?? 1;
  const rows = data.length / columns;
  let text = '';
  for (let row = 0; row < Math.min(rows, mostRows); row += 1) {
    const values = [...data.subarray(row * columns, row * columns + Math.min(columns, mostColumns))].map(String);
    text += `${values.join(' ')}${columns > mostColumns ? ' …' : ''}\n`;
  }
  return rows > mostRows ? `${text}… (${rows} rows)\n` : text;
}

/** A key as text; bytes that are none as escapes. */
function printable(key: Buffer): string {
  const text = key.toString();
  const clean = Buffer.from(text).equals(key) && /^[^\p{Cc}]*$/u.test(text);
  return clean ? text : JSON.stringify(key.toString('latin1'));
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
