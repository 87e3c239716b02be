import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import type { Plan } from '../../ir/index.js';

const packageName = 'onnxruntime-node';

/**
 * Looks in `$SIMWRIGHT_HOME` or its node_modules, the site's runtime path, DIR/runtime/node_modules, and where Node finds packages from the
 * bundle.
 */
export function lookForOnnxRuntime(
  plan: Plan,
  dir: string,
  bundle: string,
  env: NodeJS.ProcessEnv,
): string | undefined {
  const bases = [env['SIMWRIGHT_HOME'], plan.runtimePath, join(dir, 'runtime')].filter((base): base is string =>
    Boolean(base),
  );
  for (const base of bases) {
    for (const folder of [join(base, 'node_modules', packageName), join(base, packageName)]) {
      if (existsSync(join(folder, 'package.json'))) return folder;
    }
  }
  try {
    return dirname(createRequire(bundle).resolve(`${packageName}/package.json`));
  } catch {
    return undefined;
  }
}

/** RUN1002 with the places where {@link lookForOnnxRuntime} does not find it. */
export function onnxRuntimeMissing(plan: Plan, dir: string, bundle: string, env: NodeJS.ProcessEnv): WorkflowError {
  const places = [
    `SIMWRIGHT_HOME: ${env['SIMWRIGHT_HOME'] ?? '(not set)'}`,
    `runtimePath of the site: ${plan.runtimePath ?? '(not given)'}`,
    join(dir, 'runtime/node_modules'),
    `node_modules of ${dirname(bundle)} and of the folders above it`,
  ];
  return new WorkflowError({
    code: 'RUN1002',
    message: [`the ML models need ${packageName}, which is in none of these places:`, ...places].join('\n  - '),
    hint: 'install it beside simwright (npm install onnxruntime-node), or name its folder in runtimePath or SIMWRIGHT_HOME',
  });
}
