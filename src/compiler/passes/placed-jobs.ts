import {
  type Allocation,
  type ApplicationDeclaration,
  type BatchDeclaration,
  derivedOnce,
  type EntityDeclaration,
  type OrchestratorDeclaration,
} from '../../ir/index.js';
import { entityOf } from './references.js';

/** Nodes of one kind, and what runs on them. */
export interface PlacedComponent {
  readonly allocation: Allocation;
  readonly applications: readonly ApplicationDeclaration[];
  readonly orchestrators: readonly OrchestratorDeclaration[];
  /** Nodes wanted at a time by launches that have theirs for themselves. */
  readonly nodesApart: number;
}

/** Applications and stores that share one submission, and what the submission asks for. */
export interface PlacedJob {
  readonly name: string;
  readonly batch: BatchDeclaration | undefined;
  readonly applications: readonly ApplicationDeclaration[];
  readonly orchestrators: readonly OrchestratorDeclaration[];
  /** Several make a heterogeneous job. */
  readonly components: readonly [PlacedComponent, ...PlacedComponent[]];
  readonly array: { readonly size: number; readonly perElement: number; readonly maxConcurrent?: number } | undefined;
  /** Times that it is submitted, once a member. */
  readonly separate: number | undefined;
}

/** Where an entity runs: its job, and the component of it, with its number. */
export interface EntityPlace {
  readonly job: PlacedJob;
  readonly component: PlacedComponent;
  readonly index: number;
}

const placesOf = derivedOnce((jobs: readonly PlacedJob[]): ReadonlyMap<EntityDeclaration, EntityPlace> => {
  const places = new Map<EntityDeclaration, EntityPlace>();
  for (const job of jobs) {
    for (const [index, component] of job.components.entries()) {
      for (const entity of [...component.applications, ...component.orchestrators]) {
        places.set(entity, { job, component, index });
      }
    }
  }
  return places;
});

/** Where an entity runs, if it is in one of the jobs. */
export function placeOf(entity: EntityDeclaration, jobs: readonly PlacedJob[]): EntityPlace | undefined {
  return placesOf(jobs).get(entity);
}

/** Jobs that hold stores alone. */
const storeJobs = derivedOnce((jobs: readonly PlacedJob[]): readonly PlacedJob[] =>
  jobs.filter(({ applications }) => applications.length === 0),
);

const numbersOf = derivedOnce(
  (jobs: readonly PlacedJob[]): ReadonlyMap<PlacedJob, number> => new Map(jobs.map((job, number) => [job, number])),
);

/** Jobs that a job waits for, in their own order: those of the entities it is `.after`, and those of stores that it uses. */
export function jobsBefore(
  job: PlacedJob,
  jobs: readonly PlacedJob[],
  applications: readonly ApplicationDeclaration[],
): PlacedJob[] {
  // Every application sees every standalone store.
  const found = new Set(job.applications.length > 0 ? storeJobs(jobs) : []);
  for (const { after } of job.applications) {
    for (const { name } of after) {
      const entity = entityOf(name, applications);
      const place = entity === undefined ? undefined : placeOf(entity, jobs);
      if (place !== undefined && place.job !== job) found.add(place.job);
    }
  }
  const numbers = numbersOf(jobs);
  return [...found].sort((a, b) => (numbers.get(a) ?? 0) - (numbers.get(b) ?? 0));
}
