import { Command, Option } from 'commander';
import { compileWorkflow, printJson, takesWorkflow, type WorkflowOptions } from '../compile-workflow.js';
import { dot } from '../graph/dot.js';
import { type Graph, graphOf } from '../graph/graph.js';
import { mermaid } from '../graph/mermaid.js';
import { svg } from '../graph/svg.js';
import { reported } from '../reported.js';

interface GraphOptions extends WorkflowOptions {
  readonly format: keyof typeof formats;
}

const formats = { mermaid, dot, svg } as const satisfies Record<string, (graph: Graph) => string>;

/** `simwright graph`: entities, stores, ML models and jobs as a picture. */
export function graphCommand(): Command {
  return takesWorkflow(new Command('graph'))
    .addOption(new Option('--format <format>', 'output format').choices(Object.keys(formats)).default('mermaid'))
    .action(
      reported(async (workflow: string, options: GraphOptions) => {
        const { plan } = await compileWorkflow(workflow, options);
        const graph = graphOf(plan);
        if (options.json) return printJson({ ok: true, ...graph });
        process.stdout.write(formats[options.format](graph));
      }),
    );
}
