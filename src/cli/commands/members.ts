import { Command, Option } from 'commander';
import { escapeControls, suggestion, WorkflowError } from '../../diagnostics/index.js';
import {
  csvLine,
  type Entity,
  formatValue,
  type IndexRange,
  indicesOf,
  memberArgs,
  memberDirectory,
  memberName,
  memberParams,
  type Plan,
  parameterNames,
} from '../../ir/index.js';
import { compileWorkflow, takesWorkflow, type WorkflowOptions } from '../compile-workflow.js';
import { parseRanges } from '../index-ranges.js';
import { reported } from '../reported.js';
import { formatTable } from '../table.js';
import { writeOut } from '../write-out.js';

interface MembersOptions extends WorkflowOptions {
  readonly range?: string;
  readonly csv?: boolean;
}

/** Members shown unless a range is asked for. */
const shownAtFirst = 20;

/** Rows laid out together: columns keep one width within them. */
const rowsAtOnce = 1000;

/** `simwright members`: members of an ensemble with their parameters; only those asked for are made. */
export function membersCommand(): Command {
  return takesWorkflow(new Command('members'))
    .argument('<ensemble>', 'its name')
    .option('--range <ranges>', 'indices: 0-9,17 (default: the first 20 in a table, all in CSV and JSON)')
    .addOption(new Option('--csv', 'print CSV').conflicts('json'))
    .action(
      reported(async (workflow: string, name: string, options: MembersOptions) => {
        const { plan } = await compileWorkflow(workflow, options);
        const entity = find(plan, name);
        const { count } = entity.members;
        const all = [{ first: 0, last: count - 1 }];
        const ranges = options.range === undefined ? all : rangesBelow(count, options.range);
        if (options.json) return await writeOut(jsonOf(plan, entity, ranges));
        if (options.csv) return await writeOut(csvOf(entity, ranges));
        const shown = options.range === undefined ? [{ first: 0, last: Math.min(count, shownAtFirst) - 1 }] : ranges;
        await writeOut(tableOf(entity, shown));
        const more = count - shownAtFirst;
        if (options.range === undefined && more > 0) {
          process.stderr.write(`and ${more} more: --range ${shownAtFirst}-${Math.min(count, 2 * shownAtFirst) - 1}\n`);
        }
      }),
    );
}

/** Ranges of members that there are. @throws WorkflowError CLI1001 */
function rangesBelow(count: number, list: string): IndexRange[] {
  const ranges = parseRanges(list, `--range ${list}`);
  const beyond = ranges.find(({ last }) => last >= count);
  if (beyond === undefined) return ranges;
  const message = `--range ${list}: there is no member ${beyond.last}`;
  throw new WorkflowError({ code: 'CLI1001', message, hint: `indices go from 0 to ${count - 1}` });
}

function find(plan: Plan, name: string): Entity {
  const entity = plan.entities.find((one) => one.name === name);
  if (entity !== undefined) return entity;
  const names = plan.entities.map((one) => one.name);
  throw new WorkflowError({
    code: 'CLI1001',
    message: `experiment '${plan.experiment}' has no ensemble '${name}'`,
    hint: suggestion(name, names),
  });
}

/** Index, name, the values of the parameters, in the order of `parameterNames`. */
function rowOf(entity: Entity, names: readonly string[], index: number): string[] {
  const params = memberParams(entity.members, index);
  const values = names.map((name) => (params[name] === undefined ? '' : formatValue(params[name])));
  return [String(index), memberName(entity, index), ...values];
}

function* tableOf(entity: Entity, ranges: readonly IndexRange[]): Generator<string> {
  const names = parameterNames(entity.members);
  const headings = ['INDEX', 'NAME', ...names];
  let rows: string[][] = [headings];
  let first = true;
  const print = () => {
    const lines = formatTable(rows.map((row) => row.map(escapeControls))).split('\n');
    const text = `${(first ? lines : lines.slice(1)).join('\n')}\n`;
    first = false;
    rows = [headings];
    return text;
  };
  for (const index of indicesOf(ranges)) {
    rows.push(rowOf(entity, names, index));
    if (rows.length > rowsAtOnce) yield print();
  }
  if (rows.length > 1) yield print();
}

function* csvOf(entity: Entity, ranges: readonly IndexRange[]): Generator<string> {
  const names = parameterNames(entity.members);
  yield csvLine(['index', 'name', ...names]);
  for (const index of indicesOf(ranges)) yield csvLine(rowOf(entity, names, index));
}

/** One JSON document, made piece by piece while it is written. */
function* jsonOf(plan: Plan, entity: Entity, ranges: readonly IndexRange[]): Generator<string> {
  const head = { ok: true, experiment: plan.experiment, entity: entity.name, count: entity.members.count };
  yield `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "members": [`;
  let separator = '\n';
  for (const index of indicesOf(ranges)) {
    const params = memberParams(entity.members, index);
    const args = memberArgs(entity.asArgs, params);
    const directory = memberDirectory(entity, index);
    yield `${separator}    ${JSON.stringify({ index, name: memberName(entity, index), directory, params, args })}`;
    separator = ',\n';
  }
  yield '\n  ]\n}\n';
}
