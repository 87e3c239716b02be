import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import type { Plan } from '../../ir/index.js';

const packageName = 'onnxruntime-node';

/**
 * Folder of the onnxruntime-node package: in `$SIMWRIGHT_HOME` or its node_modules, the site's runtime path, DIR/runtime/node_modules, or
 * where Node finds it from the bundle. Throws RUN1002 with these places.
 */
export function findOnnxRuntime(plan: Plan, dir: string, bundle: string, env: NodeJS.ProcessEnv): string {
  const home = env['SIMWRIGHT_HOME'];
  const bases = [home, plan.runtimePath, join(dir, 'runtime')].filter((base): base is string => Boolean(base));
  for (const base of bases) {
    for (const folder of [join(base, 'node_modules', packageName), join(base, packageName)]) {
      if (existsSync(join(folder, 'package.json'))) return folder;
    }
  }
  try {
    return dirname(createRequire(bundle).resolve(`${packageName}/package.json`));
  } catch (error) {
    throw notFound(home, plan.runtimePath, dir, bundle, error);
  }
}

function notFound(
  home: string | undefined,
  runtimePath: string | undefined,
  dir: string,
  bundle: string,
  cause: unknown,
): WorkflowError {
  const places = [
    `SIMWRIGHT_HOME: ${home ?? '(not set)'}`,
    `runtimePath of the site: ${runtimePath ?? '(not given)'}`,
    join(dir, 'runtime/node_modules'),
    `node_modules of ${dirname(bundle)} and of the folders above it`,
  ];
  return new WorkflowError({
    code: 'RUN1002',
    message: [`the ML models need ${packageName}, which is in none of these places:`, ...places].join('\n  - '),
    hint: 'install it beside simwright (npm install onnxruntime-node), or say where it is with runtimePath or SIMWRIGHT_HOME',
    cause,
  });
}
