import type { Problems } from '../../../diagnostics/index.js';
import { applicationsOf } from '../../../ir/index.js';
import type { Reads } from '../compilation.js';
import { EndOrder } from '../lookup/order.js';
import { entityOf } from '../lookup/references.js';

/** Nobody reads keys of an entity that starts only after the reader's own end. */
export function checkDeadLocks({ experiment }: Reads<'experiment'>, problems: Problems): void {
  const applications = applicationsOf(experiment);
  const order = new EndOrder(applications);
  for (const reader of applications) {
    for (const { name, at } of reader.incoming) {
      const writer = entityOf(name, applications);
      if (writer === undefined || writer === reader || !order.isAfterEnd(writer, reader)) continue;
      const waits = writer.after.find((one) => entityOf(one.name, applications) === reader);
      const how = waits?.kind === 'after' ? ` (.after('${waits.name}', '${waits.event}'))` : '';
      const message = `.registerIncomingEntity('${name}'): '${reader.name}' would wait for keys of '${writer.name}', which starts only when '${reader.name}' has ended${how}`;
      const hint = `let '${writer.name}' start earlier: .after('${reader.name}', 'started') or { key: … }`;
      problems.error('PLAN1013', message, at, hint);
    }
  }
}
