import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { Client, Dataset } from '../../../src/runtime/client/index.js';
import { smartredisPython } from '../orchestrator/support/python.js';

const found = await smartredisPython();

/** Where the TypeScript client says it otherwise than SmartRedis in camel case. */
const otherNames: Readonly<Record<string, string>> = {
  get_db_node_info: 'info',
  get_db_cluster_info: 'clusterInfo',
  get_ai_info: 'aiInfo',
  poll_list_length_gte: 'pollListLengthAtLeast',
  poll_list_length_lte: 'pollListLengthAtMost',
  use_tensor_ensemble_prefix: 'useTensorPrefix',
  use_dataset_ensemble_prefix: 'useDatasetPrefix',
  use_model_ensemble_prefix: 'useModelPrefix',
  use_list_ensemble_prefix: 'useListPrefix',
  set_model_multigpu: 'setModelMultiGpu',
  run_model_multigpu: 'runModelMultiGpu',
  delete_model_multigpu: 'deleteModelMultiGpu',
  set_script_multigpu: 'setScriptMultiGpu',
  run_script_multigpu: 'runScriptMultiGpu',
  delete_script_multigpu: 'deleteScriptMultiGpu',
  // A file is read by whoever has it; a function of TypeScript is no TorchScript.
  set_model_from_file: 'setModel',
  set_model_from_file_multigpu: 'setModelMultiGpu',
  set_script_from_file: 'setScript',
  set_script_from_file_multigpu: 'setScriptMultiGpu',
  set_function: 'setScript',
  set_function_multigpu: 'setScriptMultiGpu',
  get_metadata_field_names: 'metadataNames',
  get_metadata_field_type: 'metadataType',
  get_name: 'name',
  get_tensor_names: 'tensorNames',
  // A tensor has its type and shape with it.
  get_tensor_dims: 'getTensor',
  get_tensor_type: 'getTensor',
};

/** What belongs to SmartRedis's log file, or to the C++ object behind the Python one. */
const without = /^(log_|from_pybind$|get_data$|set_data$)/;

test.skipIf('missing' in found)(
  `every method of SmartRedis has its counterpart${'missing' in found ? ` (skipped: ${found.missing})` : ''}`,
  () => {
    const script = 'import smartredis, json; print(json.dumps([dir(smartredis.Client), dir(smartredis.Dataset)]))';
    const output = execFileSync('python' in found ? found.python : '', ['-c', script], { encoding: 'utf8' });
    const [client = [], dataset = []] = JSON.parse(output) as string[][];
    expect(client.length).toBeGreaterThan(60);
    const ours = (name: string) => otherNames[name] ?? name.replace(/_(\w)/g, (_all, letter) => letter.toUpperCase());
    const missing = (names: readonly string[], target: object) =>
      names.filter((name) => !name.startsWith('_') && !without.test(name) && !(ours(name) in target));
    expect(missing(client, Client.prototype)).toEqual([]);
    expect(missing(dataset, new Dataset('any'))).toEqual([]);
  },
);
