import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { TensorDtype } from '../../../src/torchscript/index.js';

/** A tensor with its elements as bytes. */
export interface GivenTensor {
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A function of a script with inputs. */
export interface Case {
  readonly name: string;
  readonly source: string;
  readonly function: string;
  readonly inputs: readonly GivenTensor[];
}

/** Outputs of PyTorch, or its error when the script is set or run. */
export type Expected =
  | { readonly outputs: readonly GivenTensor[] }
  | { readonly error: string; readonly at: 'set' | 'run' };

interface Answer {
  readonly outputs?: readonly {
    readonly dtype: TensorDtype;
    readonly shape: readonly number[];
    readonly data: string;
  }[];
  readonly error?: string;
  readonly at?: 'set' | 'run';
}

/** Results of all cases in one process of Python. */
export async function pytorchResults(python: string, cases: readonly Case[]): Promise<Expected[]> {
  const script = fileURLToPath(new URL('pytorch_results.py', import.meta.url));
  const child = spawn(python, [script], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, OMP_NUM_THREADS: '1', PYTHONWARNINGS: 'ignore' },
  });
  const given = cases.map(({ source, function: name, inputs }) => ({
    source,
    function: name,
    inputs: inputs.map(({ dtype, shape, bytes }) => ({ dtype, shape, data: Buffer.from(bytes).toString('base64') })),
  }));
  child.stdin.end(JSON.stringify(given));
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  try {
    const answers = JSON.parse(out.slice(out.lastIndexOf('\n[') + 1)) as Answer[];
    return answers.map(({ outputs, error = '', at = 'run' }) =>
      outputs === undefined
        ? { error, at }
        : { outputs: outputs.map(({ dtype, shape, data }) => ({ dtype, shape, bytes: Buffer.from(data, 'base64') })) },
    );
  } catch {
    throw new Error(`PyTorch: ${errors || out}`);
  }
}
