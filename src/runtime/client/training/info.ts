import type { Client } from '../client.js';
import { Dataset } from '../dataset.js';

/** Names of a training set in the store: those of SmartSim's `DataInfo`. */
export interface TrainingInfo {
  /** List of the data sets, each of which is a batch. Default: `training_data`. */
  readonly listName: string;
  /** Tensor of samples in each data set. Default: `samples`. */
  readonly sampleName: string;
  /** Tensor of targets in each data set; empty for none; `sampleName` if samples are their own targets. Default: `targets`. */
  readonly targetName: string;
  /** Number of classes, for targets that are categories. */
  readonly numClasses?: number | undefined;
}

/** The parts that are there, joined by `_`. */
export function formName(...parts: readonly (string | number | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join('_');
}

/** The names that are given, the others as SmartSim has them. */
export function completeInfo(given: Partial<TrainingInfo>): TrainingInfo {
  const { listName = 'training_data', sampleName = 'samples', targetName = 'targets', numClasses } = given;
  return { listName, sampleName, targetName, numClasses };
}

/** True if data sets have a tensor of targets. */
export function hasTargets({ sampleName, targetName }: TrainingInfo): boolean {
  return targetName !== '' && targetName !== sampleName;
}

/** Puts the names into the store, where trainers look for them. */
export async function publishInfo(client: Client, info: TrainingInfo): Promise<void> {
  const dataset = new Dataset(formName(info.listName, 'info')).addMetaString('sample_name', info.sampleName);
  if (info.targetName !== '') dataset.addMetaString('target_name', info.targetName);
  if (info.numClasses !== undefined && info.numClasses > 0) {
    dataset.addMetaScalar('num_classes', BigInt(info.numClasses));
  }
  await client.putDataset(dataset);
}

/** The names that have been published for a list in the client's data source; undefined if none have. */
export async function publishedInfo(client: Client, given: TrainingInfo): Promise<TrainingInfo | undefined> {
  const name = formName(given.listName, 'info');
  if (!(await client.datasetExists(name))) return undefined;
  const dataset = await client.getDataset(name);
  const has = new Set(dataset.metadataNames);
  return {
    listName: given.listName,
    sampleName: dataset.getMetaStrings('sample_name')[0] ?? given.sampleName,
    targetName: has.has('target_name') ? (dataset.getMetaStrings('target_name')[0] ?? '') : given.targetName,
    numClasses: has.has('num_classes') ? Number(dataset.getMetaScalars('num_classes')[0]) : given.numClasses,
  };
}
