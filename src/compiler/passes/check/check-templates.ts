import { type Problems, suggestion } from '../../../diagnostics/index.js';
import { addedOf, applicationsOf, declaredMembers, parameterNames } from '../../../ir/index.js';
import type { Reads } from '../compilation.js';
import { groupBy } from '../lookup/group-by.js';

/** Every tag in a template has a value, and every parameter is used by a template or an argument. */
export function checkTemplates({ experiment, facts }: Reads<'experiment' | 'facts'>, problems: Problems): void {
  for (const application of applicationsOf(experiment)) {
    const parameters = parameterNames(declaredMembers(application));
    const added = addedOf(application);
    const common = Object.keys(application.params?.values ?? {});
    const used = new Set(application.params?.asArgs ?? []);
    for (const template of facts.templates.get(application) ?? []) {
      const places = groupBy(template.tags, ({ name }) => name);
      for (const [tag, ...further] of places.values()) {
        if (tag === undefined) continue;
        used.add(tag.name);
        if (parameters.includes(tag.name)) {
          const lacking = added.find(({ params }) => !Object.hasOwn(params, tag.name) && !common.includes(tag.name));
          if (lacking === undefined) continue;
          const message = `the tag ${tag.name} of ${template.source} has no value for '${lacking.name}'`;
          problems.error('TMPL1001', message, lacking.at, `add it to the params of .addModel('${lacking.name}', …)`);
          continue;
        }
        const at = { file: template.source, line: tag.line, column: tag.column };
        const more =
          further.length === 0 ? '' : ` (and at ${further.length} more ${further.length === 1 ? 'place' : 'places'})`;
        const message = `the tag ${tag.name} has no value${more}: '${application.name}' has no parameter of that name`;
        const hint = parameters.length === 0 ? 'give it one with .params()' : suggestion(tag.name, parameters);
        problems.error('TMPL1001', message, at, hint);
      }
    }
    // A program that reads params.json itself may read any of them.
    if (facts.readsParams.has(application)) continue;
    for (const name of parameters) {
      if (used.has(name)) continue;
      const hint = 'write its tag into a template, or name it in asArgs';
      problems.warning(
        'TMPL1002',
        `nothing of '${application.name}' uses the parameter ${name}`,
        application.params?.at ?? added[0]?.at,
        hint,
      );
    }
  }
}
