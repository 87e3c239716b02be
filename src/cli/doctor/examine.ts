import { availableParallelism, hostname } from 'node:os';
import { dirname } from 'node:path';
import type { Site } from '../../ir/index.js';
import { findPython } from '../../runtime/orchestrator/inference/python/index.js';
import type { Finding } from '../../targets/probe.js';
import { type DraftField, draftSite } from './draft-site.js';
import { probeEngine } from './engine.js';
import { fileSystemOf, probeFileSystems } from './file-systems.js';
import { probeFrameworks } from './frameworks.js';
import { probeLaunchers } from './launchers.js';
import { fastInterface } from './network.js';
import { probeNode } from './node.js';
import { probeOnnxRuntime } from './onnx-runtime.js';
import { probePython } from './python.js';
import { probeScheduler } from './scheduler.js';
import { probeSystem } from './system.js';

/** Everything that was found out about this machine and its cluster. */
export interface Examination {
  readonly findings: readonly Finding[];
  readonly facts: Readonly<Record<string, unknown>>;
  readonly draft: readonly DraftField[];
}

/** Runs all probes; of Python and ONNX Runtime those that stores of the site use. `python` names another. */
export async function examine(site: Site | undefined, python = site?.python): Promise<Examination> {
  const node = probeNode();
  const program = findPython(python);
  const [onnxRuntime, launchers, scheduler, pythonFound, frameworks, system, engine] = await Promise.all([
    probeOnnxRuntime(site?.runtimePath, site?.node.gpuMaker),
    probeLaunchers(),
    probeScheduler(),
    probePython(program),
    probeFrameworks(program),
    probeSystem(),
    probeEngine(site?.runtimePath, site?.redisai),
  ]);
  const fileSystems = probeFileSystems(scheduler.facts !== undefined);
  const probes = [node, system, onnxRuntime, pythonFound, frameworks, engine, launchers, scheduler, fileSystems];
  const networkInterface = fastInterface();
  return {
    findings: probes.flatMap(({ findings }) => findings),
    facts: {
      node: node.facts,
      system: system.facts,
      onnxRuntime: onnxRuntime.facts,
      python: pythonFound.facts,
      frameworks: frameworks.facts ?? null,
      engine: engine.facts,
      launchers: launchers.facts,
      scheduler: scheduler.facts ?? null,
      fileSystems: fileSystems.facts,
      networkInterface: networkInterface ?? null,
    },
    draft: draftSite({
      scheduler: scheduler.facts,
      launchers: launchers.facts,
      node: node.facts,
      host: hostname(),
      cores: availableParallelism(),
      nodeIsShared: fileSystemOf(dirname(node.facts.path)).isNetwork === true,
      interface: networkInterface,
    }),
  };
}
