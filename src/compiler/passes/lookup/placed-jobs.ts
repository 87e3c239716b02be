import { type ApplicationDeclaration, derivedOnce, type EntityDeclaration } from '../../../ir/index.js';
import type { PlacedComponent, PlacedGroup, PlacedJob } from '../compilation.js';
import { entityOf } from './references.js';

/** The place of an entity: its job, and the component and the group of nodes that it runs on, each with its index in the job. */
export interface EntityPlace {
  readonly job: PlacedJob;
  readonly component: PlacedComponent;
  readonly index: number;
  readonly group: PlacedGroup;
  readonly groupIndex: number;
}

const placesOf = derivedOnce((jobs: readonly PlacedJob[]): ReadonlyMap<EntityDeclaration, EntityPlace> => {
  const places = new Map<EntityDeclaration, EntityPlace>();
  for (const job of jobs) {
    for (const [groupIndex, { group, component, index }] of groupsOf(job).entries()) {
      for (const entity of [...group.applications, ...group.orchestrators]) {
        places.set(entity, { job, component, index, group, groupIndex });
      }
    }
  }
  return places;
});

/** The groups of a job's nodes, each with its component and the component's index. */
export function groupsOf({ components }: PlacedJob): Pick<EntityPlace, 'group' | 'component' | 'index'>[] {
  return components.flatMap((component, index) => component.groups.map((group) => ({ group, component, index })));
}

/** The place of an entity. Every entity is in one of the jobs. */
export function placeOf(entity: EntityDeclaration, jobs: readonly PlacedJob[]): EntityPlace {
  return placesOf(jobs).get(entity) as EntityPlace;
}

/** Jobs that have stores and no applications. */
const storeJobs = derivedOnce((jobs: readonly PlacedJob[]): readonly PlacedJob[] =>
  jobs.filter(({ applications }) => applications.length === 0),
);

const numbersOf = derivedOnce(
  (jobs: readonly PlacedJob[]): ReadonlyMap<PlacedJob, number> => new Map(jobs.map((job, number) => [job, number])),
);

/** The jobs that a job waits for, in their order: the jobs of the entities in `.after()`, and of the stores that it uses. */
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
      const other = entity === undefined ? job : placeOf(entity, jobs).job;
      if (other !== job) found.add(other);
    }
  }
  const numbers = numbersOf(jobs);
  return [...found].sort((a, b) => (numbers.get(a) as number) - (numbers.get(b) as number));
}
