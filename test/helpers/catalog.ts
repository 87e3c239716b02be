import type { ExtendingSite } from 'simwright';

/** Fields of an account on each machine: what the machine leaves to its users, and queues that take the fixtures. */
export const accounts: Readonly<Record<string, { readonly gpus?: string; readonly cpus: string }>> = {
  archer2: { cpus: 'standard' },
  aurora: { cpus: 'capacity' },
  derecho: { cpus: 'main', gpus: 'main-gpu' },
  frontier: { cpus: 'batch' },
  lumi: { cpus: 'standard', gpus: 'standard-g' },
  perlmutter: { cpus: 'regular-cpu', gpus: 'regular' },
  polaris: { cpus: 'capacity' },
  summit: { cpus: 'batch' },
};

/** A user's own site for a machine. */
export function accountOn(name: string, forGpus = false): ExtendingSite {
  const { cpus, gpus = cpus } = accounts[name] ?? { cpus: '' };
  return { extends: name, defaults: { account: 'abc123', walltime: '00:30:00', queue: forGpus ? gpus : cpus } };
}

/** Fixtures that are compiled for each machine of the catalogue; `mpi-with-gpus` for its nodes with GPUs. */
export const catalogFixtures: readonly string[] = [
  'hello-mpi',
  'mpi-with-gpus',
  'colocated-uds',
  'packed-members',
  'two-producers',
  'producer-consumer',
  'mpmd',
];
