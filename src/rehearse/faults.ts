import { WorkflowError } from '../diagnostics/index.js';

/** A fault that a rehearsal brings about. */
export type Fault =
  | { readonly kind: 'node'; readonly node: string; readonly atSeconds: number }
  | { readonly kind: 'app'; readonly name: string; readonly atSeconds: number }
  | { readonly kind: 'store'; readonly name: string | undefined; readonly atSeconds: number }
  | { readonly kind: 'walltime'; readonly atSeconds: number };

/** Text of a fault, as users write it. */
export function faultText(fault: Fault): string {
  const what = { node: 'node' in fault ? `:${fault.node}` : '', walltime: '', app: '', store: '' }[fault.kind];
  const name = 'name' in fault && fault.name !== undefined ? `:${fault.name}` : '';
  return `${fault.kind}${what}${name}@${fault.atSeconds}s`;
}

/**
 * Reads `node:2@5s`, `app:sweep_3`, `store@3s` or `walltime@10s`: what fails, and the seconds after the start of the first job (of an application:
 * after its own) at which it does.
 *
 * @throws WorkflowError CLI1001 for anything else.
 */
export function parseFault(text: string): Fault {
  const [, kind, name, seconds] = /^(node|app|store|walltime)(?::([^@]+))?(?:@(\d+(?:\.\d+)?)s?)?$/.exec(text) ?? [];
  const atSeconds = seconds === undefined ? undefined : Number(seconds);
  if (kind === 'node' && name !== undefined) {
    return { kind, node: /^\d+$/.test(name) ? `node${name}` : name, atSeconds: atSeconds ?? 1 };
  }
  if (kind === 'app' && name !== undefined) return { kind, name, atSeconds: atSeconds ?? 0 };
  if (kind === 'store') return { kind, name, atSeconds: atSeconds ?? 1 };
  if (kind === 'walltime' && name === undefined && atSeconds !== undefined) return { kind, atSeconds };
  throw new WorkflowError({
    code: 'CLI1001',
    message: `--fail ${text} names no fault`,
    hint: 'faults are node:2@5s, app:sweep_3, store@3s and walltime@10s',
  });
}
