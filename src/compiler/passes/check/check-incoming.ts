import type { Problems } from '../../../diagnostics/index.js';
import { applicationsOf, hasNumbers, memberName } from '../../../ir/index.js';
import type { Reads, Sized } from '../compilation.js';
import { entityOf, incomingNames } from '../lookup/references.js';

/** Longest value of an environment variable in bytes: Linux limits name and value to 128 KiB (MAX_ARG_STRLEN). */
const longestVariable = 128 * 1024 - 64;

/** The names in `SSKEYIN` fit into one environment variable. */
export function checkIncoming({ experiment, sized }: Reads<'experiment' | 'sized'>, problems: Problems): void {
  const applications = applicationsOf(experiment);
  for (const application of applications) {
    const bytes = incomingNames(application, applications).reduce((sum, name) => {
      const entity = entityOf(name, applications);
      if (entity === undefined || name === application.name || name !== entity.name || !hasNumbers(entity))
        return sum + name.length + 1;
      const count = (sized.get(entity) as Sized).members.count;
      return sum + count * (memberName(entity, count - 1).length + 1);
    }, 0);
    if (bytes <= longestVariable) continue;
    const message = `SSKEYIN of '${application.name}' would have ${bytes} bytes, and one variable holds at most ${longestVariable}`;
    const hint = 'register the members that it reads, or pass prefixes by a file of its own';
    problems.error('REF1003', message, application.incoming[0]?.at, hint);
  }
}
