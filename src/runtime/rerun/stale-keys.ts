import { type Entity, memberName, type Plan, type Store } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import type { StaleKeys } from '../orchestrator/checkpoint/record.js';
import { runningStoreOf } from '../stored-data/running-store.js';
import { rerunOf } from './saving.js';

/**
 * Keys that a store must not bring back: those that former runs of members have put there under their names which begin anew in this run.
 * Whoever reads beside such a member would take them for its own. A member that goes on where it stopped keeps its keys.
 */
export function staleKeys(job: JobEnvironment, plan: Plan, store: Store): StaleKeys {
  const rerun = rerunOf(job, plan, runningStoreOf(job.dir, plan));
  const writers = plan.entities.filter(({ stores, keyPrefixing }) => keyPrefixing && stores.includes(store.name));
  const chosen = job.members;
  const anew = new Set(
    writers.flatMap((entity) =>
      rerun
        .of(entity)
        .members.filter(
          ({ index, reason, anew }) => reason !== undefined && anew && (chosen?.has(entity.name, index) ?? true),
        )
        .map(({ index }) => memberName(entity, index)),
    ),
  );
  const owner = new KeyOwner(plan.entities);
  return {
    ownerOf: (key) => {
      if (anew.size === 0) return undefined;
      const name = owner.of(key);
      return name !== undefined && anew.has(name) ? name : undefined;
    },
  };
}

/** Tells by a key's name whose it is. */
class KeyOwner {
  readonly #entities: ReadonlyMap<string, Entity>;

  constructor(entities: readonly Entity[]) {
    this.#entities = new Map(entities.map((entity) => [entity.name, entity]));
  }

  /** The member whose name stands before a key, `NAME.KEY`, or of a part of a data set `{NAME.DATASET}.FIELD`; the longest where names have dots. */
  of(key: string): string | undefined {
    const text = key.startsWith('{') ? key.slice(1) : key;
    for (let dot = text.lastIndexOf('.'); dot > 0; dot = text.lastIndexOf('.', dot - 1)) {
      const name = text.slice(0, dot);
      if (this.#isMember(name)) return name;
    }
    return undefined;
  }

  #isMember(name: string): boolean {
    const model = this.#entities.get(name);
    if (model !== undefined) return model.kind !== 'ensemble';
    const [, ensemble = '', digits = ''] = /^(.+)_(\d+)$/.exec(name) ?? [];
    const entity = this.#entities.get(ensemble);
    return entity?.kind === 'ensemble' && memberName(entity, Number(digits)) === name;
  }
}
