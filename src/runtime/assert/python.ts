import type { Problem } from '../../diagnostics/index.js';
import type { Plan, Store } from '../../ir/index.js';
import { type BackendName, backends } from '../../ml/backends.js';
import { findPython, isOlder, type Probe, probePython } from '../orchestrator/inference/python/index.js';

/** The Python for the workers of a job's stores: the site's, `$SIMWRIGHT_PYTHON`, or python3; an absolute path if there is such a program. */
export function pythonOf(plan: Plan): string {
  return findPython(plan.python);
}

/** Frameworks that stores need in Python, each with the first that needs it. */
type Needs = ReadonlyMap<BackendName, string>;

/** The Python of a job's stores, and what it has. */
export interface PythonHere {
  /** Absolute path; or what was asked for, where there is no such program. */
  readonly python: string;
  readonly problems: readonly Problem[];
  /** Line for the job's log; undefined where nothing in the plan runs in Python. */
  readonly said: string | undefined;
}

const hint =
  'load the module that has it (modules of the site or of .batch()), or name another Python: python of the site, or $SIMWRIGHT_PYTHON';

/** Asks the stores' Python if it has the frameworks of the plan's models. It imports none of them, which takes seconds. */
export async function checkPython(plan: Plan, stores: readonly Store[]): Promise<PythonHere> {
  const python = pythonOf(plan);
  const needs = needsOf(stores);
  const scripts = stores.flatMap(({ scripts: own }) => own.map(({ name }) => `'${name}'`));
  if (needs.size + scripts.length === 0) return { python, problems: [], said: undefined };
  let probe: Probe;
  try {
    probe = await probePython(python);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    // Most scripts run without PyTorch; of the others the store says so.
    const said = `scripts run without PyTorch: ${why}`;
    return { python, problems: [...needs].map(([backend, who]) => noPython(backend, who, why)), said };
  }
  const problems = [...needs].flatMap(([backend, who]) => lacking(backend, who, python, probe));
  return { python, problems, said: sayWhich(python, probe, needs, scripts) };
}

function needsOf(stores: readonly Store[]): Needs {
  const needs = new Map<BackendName, string>();
  for (const { name: store, mlModels } of stores) {
    for (const { name, backend } of mlModels) {
      if (backends[backend].isBuiltIn || needs.has(backend)) continue;
      needs.set(backend, `ML model '${name}' of store '${store}'`);
    }
  }
  return needs;
}

function noPython(backend: BackendName, who: string, why: string): Problem {
  const { package: name, least } = backends[backend].worker;
  return problem(`${backend} needs ${name} ≥ ${least} for ${who}, and ${why}`);
}

/** The problem with a framework of a Python, if there is one. */
function lacking(backend: BackendName, who: string, python: string, { frameworks, numpy }: Probe): Problem[] {
  const found = frameworks[backend];
  const { package: name, least } = backends[backend].worker;
  const needed = (what: string, has: string) => [
    problem(`${backend} needs ${what} in ${python}, which has ${has}, for ${who}`),
  ];
  if (found === null) return needed(`${name} ≥ ${least}`, 'none');
  if (isOlder(found)) return needed(`${found.package} ≥ ${found.least}`, found.version);
  return numpy === null ? needed('numpy', 'none') : [];
}

function problem(message: string): Problem {
  return { code: 'RUN1015', severity: 'error', message, hint };
}

function sayWhich(python: string, { version, frameworks }: Probe, needs: Needs, scripts: readonly string[]): string {
  const used = new Set<BackendName>([...needs.keys(), ...(scripts.length > 0 ? (['TORCH'] as const) : [])]);
  const packages = [...used].flatMap((backend) => {
    const found = frameworks[backend];
    return found === null ? [] : [`${found.package} ${found.version}`.trim()];
  });
  const here = `${python} (Python ${version})`;
  return packages.length === 0
    ? `scripts run without PyTorch, which ${here} does not have`
    : `models and scripts run in ${here} with ${packages.join(', ')}`;
}
