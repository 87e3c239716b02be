import { type BackendName, backendNames, backends } from '../../ml/backends.js';
import { isOlder, type Probe, probePython } from '../../runtime/orchestrator/inference/python/index.js';
import type { Finding, Probed } from '../../targets/probe.js';

/** Packages of ML frameworks that a Python has; undefined where it does not run. */
export type FrameworksFacts = Probe | undefined;

const topic = 'ML frameworks';

/** The frameworks in the Python that stores run models with, found without importing them. */
export async function probeFrameworks(python: string): Promise<Probed<FrameworksFacts>> {
  try {
    const facts = await probePython(python);
    return { facts, findings: [judge(python, facts)] };
  } catch (error) {
    const message = `none: ${error instanceof Error ? error.message : String(error)}`;
    return { facts: undefined, findings: [{ topic, verdict: 'warning', message, advice: howToName }] };
  }
}

const howToName =
  'models for TORCH, TF and TFLITE need a Python that has them: load its module, and name it by python of the site, or --python PATH';

function judge(python: string, { version, numpy, frameworks }: Probe): Finding {
  const there = backendNames.flatMap((name) => frameworks[name] ?? []);
  const packages = [...new Set(there.map(({ package: name, version: found }) => `${name} ${found}`.trim()))];
  const missing = backendNames.filter((name) => frameworks[name] === null).map((name) => backends[name].worker.package);
  const where = `${python} (Python ${version})`;
  const warn = (message: string, advice: string): Finding => ({ topic, verdict: 'warning', message, advice });
  if (there.length === 0) return warn(`${where} has none of ${missing.join(', ')}`, howToName);
  const lacks = missing.length === 0 ? '' : `; it has no ${missing.join(', no ')}`;
  const message = `${packages.join(', ')} in ${where}${lacks}`;
  const old = backendNames.flatMap((name) => tooOld(name, frameworks) ?? []);
  if (old.length > 0) return warn(message, `install newer ones: ${old.join(', ')}`);
  if (numpy === null)
    return warn(`${message}; it has no numpy`, `${python} -m pip install numpy: no model runs without it`);
  return { topic, verdict: 'ok', message };
}

function tooOld(backend: BackendName, frameworks: Probe['frameworks']): string | undefined {
  const found = frameworks[backend];
  return found !== null && isOlder(found) ? `${backend} needs ${found.package} ≥ ${found.least}` : undefined;
}
