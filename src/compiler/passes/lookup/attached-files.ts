import { type ApplicationDeclaration, applicationsOf } from '../../../ir/index.js';
import type { AttachedFile, Facts } from '../../inspect/index.js';
import type { Reads } from '../compilation.js';
import { groupBy } from './group-by.js';

/** The files of all `.attach()` calls of an application. */
function namedFiles(application: ApplicationDeclaration, facts: Facts): AttachedFile[] {
  return application.attach.flatMap((attach) => facts.attached.get(attach) ?? []);
}

/** A text that is the same for files with the same source and destination. */
function keyOf(file: AttachedFile): string {
  return JSON.stringify([file.to, file.kind === 'directory' ? '' : file.source]);
}

/**
 * The files that an application gets. A file that is attached several times appears once. If it is configured and also copied or linked, it is
 * configured, as in SmartSim. Files that are attached in other contradictory ways appear once for each way.
 */
export function attachedFiles(application: ApplicationDeclaration, facts: Facts): AttachedFile[] {
  const groups = groupBy(namedFiles(application, facts), keyOf);
  return [...groups.values()].flatMap((group) => {
    const configured = group.filter(({ kind }) => kind === 'configure');
    const wayOf = ({ kind, attach }: AttachedFile) => (kind === 'configure' ? attach.tag : kind);
    return [...groupBy(configured.length > 0 ? configured : group, wayOf).values()].map(
      ([first]) => first as AttachedFile,
    );
  });
}

const ways = { copy: 'copied', symlink: 'linked' } as const;

/** Notes on files that are attached in several ways. */
export function notesOnFiles({ experiment, facts }: Reads<'experiment' | 'facts'>): string[] {
  const notes = applicationsOf(experiment).flatMap((application) =>
    [...groupBy(namedFiles(application, facts), keyOf).values()].flatMap((group) => {
      if (!group.some(({ kind }) => kind === 'configure')) return [];
      const others = new Set(group.flatMap(({ kind }) => (kind === 'copy' || kind === 'symlink' ? [ways[kind]] : [])));
      return [...others].map(
        (way) => `${application.name}: ${group[0]?.to} is to be ${way} and configured: members get it configured`,
      );
    }),
  );
  return [...new Set(notes)];
}
