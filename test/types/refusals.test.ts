import { fileURLToPath } from 'node:url';
import { Project, ts } from 'ts-morph';
import { beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What the editor says of workflows; one program for all of them. */
class Editor {
  readonly #project = new Project({ tsConfigFilePath: `${root}/tsconfig.json`, skipAddingFilesFromTsConfig: true });
  readonly #texts: string[] = [];

  /** Takes a chain in, to be asked about later. */
  add(chain: string): void {
    const imports = "import { apptainer, command, experiment, mlFile, scriptFile, type Opening } from 'simwright';";
    const text = `${imports}\nconst run = command('run');\nconst x = experiment('x');\n${chain};\n`;
    this.#project.createSourceFile(`${root}/test/types/refusals-${this.#texts.length}.ts`, text);
    this.#texts.push(chain);
  }

  /** Its diagnostics, each with the text that is underlined. */
  refusals(chain: string): string[] {
    const file = this.#project.getSourceFileOrThrow(`${root}/test/types/refusals-${this.#texts.indexOf(chain)}.ts`);
    return file.getPreEmitDiagnostics().map((diagnostic) => {
      const text = ts.flattenDiagnosticMessageText(diagnostic.compilerObject.messageText, '\n');
      const start = diagnostic.getStart() ?? 0;
      return `${file.getFullText().slice(start, start + (diagnostic.getLength() ?? 0))}: ${text}`;
    });
  }
}

const allowed = [
  "x.model('a', run).model('b', run).after('a').after('a', 'failed').after('a', { key: 'k', orchestrator: 's' })",
  "x.ensemble('e', run).addModel('a', run).addModel('b', run, { params: { N: 1 } }).model('m', run).after('b').after('e_3')",
  "x.ensemble('e', run).params({ N: [1, 2] }, { strategy: 'random', count: 1, seed: 4 }).replicas(2).colocate({ uds: true })",
  "x.ensemble('e', run).params({ N: [1, 2] }, { strategy: (axes, count) => [{ N: axes['N']?.[0] ?? count }] })",
  "x.model('m', run).colocate({ tcp: true, interface: 'lo' }).sharesNodesWith('m').setup({}).requires({}).model('n', run).colocate({ uds: true })",
  "x.orchestrator().requires({}).orchestrator({ name: 's' }).setup({}).batch({}).model('m', run).after('s')",
  "x.model('m', run).addMlModel('n', mlFile('n'), { backend: 'TF', inputs: ['x'], outputs: ['y'] }).addFunction('f', (x) => x.mul(2).add(1)).addFunction('g', (x, y) => [x.max(), y.sub(x)], { inputs: 2 })",
  "experiment<string>('x').model('m' as string, run).model('m', run).after('anything').orchestrator().orchestrator()",
  "x.apply((builder) => builder.model('m', run)).apply((builder) => builder.after('m'))",
  "command('a').mpmd(run, run).container(apptainer('i')).launcher('pals').launcherArgs({ a: 1 }).hosts(['n']).cpuBind([1])",
  "const one: Opening<'m'> = x.model('m', run).attach({}).params({ N: 1 }, { asArgs: ['N'] })",
] as const;

const refused = {
  'a name used twice': "x.model('a', run).ensemble('e', run).addModel('a', run)",
  'the name of a member added by hand': "x.ensemble('e', run).addModel('a', run).model('a', run)",
  'a second orchestrator without a name': 'x.orchestrator({ port: 1 }).orchestrator({ port: 2 })',
  'a second orchestrator without options': 'x.orchestrator().orchestrator()',
  'a second colocated store': "x.ensemble('e', run).colocate({ uds: true }).replicas(2).colocate({ tcp: true })",
  'a store of both kinds': "x.model('m', run).colocate({ tcp: true, socket: '/tmp/s' })",
  'a name that is not there': "x.model('simulation', run).model('b', run).after('simulatoin')",
  'an event that there is not': "x.model('a', run).model('b', run).after('a', 'begun')",
  'an option of a key': "x.model('a', run).model('b', run).after('a', { key: 'k', store: 's' })",
  'nodes of nobody': "x.model('a', run).model('b', run).sharesNodesWith('c')",
  'TensorFlow without names': "x.model('m', run).addMlModel('n', mlFile('n.pb'), { backend: 'TF' })",
  'TensorFlow without outputs': "x.model('m', run).addMlModel('n', mlFile('n.pb'), { backend: 'TF', inputs: ['x'] })",
  'names for ONNX': "x.model('m', run).addMlModel('n', mlFile('n.onnx'), { backend: 'ONNX', inputs: ['x'] })",
  'an unknown backend': "x.model('m', run).addMlModel('n', mlFile('n'), { backend: 'KERAS' })",
  'a misspelt option': "x.model('m', run).batch({ walltme: '00:10:00' })",
  'a list for a model': "x.model('m', run).params({ N: [1, 2] })",
  'a strategy for a model': "x.model('m', run).params({ N: 1 }, { strategy: 'step' })",
  'an unknown strategy': "x.ensemble('e', run).params({ N: [1] }, { strategy: 'all_perm' })",
  'replicas of a model': "x.model('m', run).replicas(2)",
  'files for an orchestrator': "x.orchestrator().attach({ copy: 'a' })",
  'an unknown eviction policy': "x.orchestrator({ evictionPolicy: 'lru' })",
  'an unknown launcher': "command('a').launcher('mpirn')",
  'a function that returns no tensor': "x.model('m', run).addFunction('f', () => 7)",
  'a script as a function': "x.model('m', run).addFunction('f', () => 'def f(x): return x')",
} as const;

describe('the editor', () => {
  const editor = new Editor();
  beforeAll(() => {
    for (const chain of [...allowed, ...Object.values(refused)]) editor.add(chain);
  });

  test.each(allowed)('allows %s', (chain) => {
    expect(editor.refusals(chain)).toEqual([]);
  });

  const says = (what: keyof typeof refused) => expect(editor.refusals(refused[what]).join('\n'));

  test('refuses a name used twice', () => {
    says('a name used twice').toMatchInlineSnapshot(
      `"'a': Argument of type 'string' is not assignable to parameter of type 'NotAllowed<"the experiment already has an entity named 'a'">'."`,
    );
  });

  test('refuses the name of a member added by hand', () => {
    says('the name of a member added by hand').toMatchInlineSnapshot(
      `"'a': Argument of type 'string' is not assignable to parameter of type 'NotAllowed<"the experiment already has an entity named 'a'">'."`,
    );
  });

  test('refuses a second orchestrator without a name', () => {
    says('a second orchestrator without a name').toMatchInlineSnapshot(`
      "{ port: 2 }: Argument of type '{ port: number; }' is not assignable to parameter of type 'OrchestratorOptions<"orchestrator"> & { name: NotAllowed<"the experiment already has an entity named 'orchestrator'">; }'.
        Property 'name' is missing in type '{ port: number; }' but required in type '{ name: NotAllowed<"the experiment already has an entity named 'orchestrator'">; }'."
    `);
  });

  test('refuses a second orchestrator without options', () => {
    says('a second orchestrator without options').toMatchInlineSnapshot(
      `"orchestrator: Expected 1 arguments, but got 0."`,
    );
  });

  test('refuses a second colocated store', () => {
    says('a second colocated store').toMatchInlineSnapshot(
      `"tcp: Object literal may only specify known properties, and 'tcp' does not exist in type 'NotAllowed<"this entity already has a colocated orchestrator">'."`,
    );
  });

  test('refuses a store of both kinds', () => {
    says('a store of both kinds').toMatchInlineSnapshot(
      `"socket: Object literal may only specify known properties, and 'socket' does not exist in type 'ColocateTcpOptions'."`,
    );
  });

  test('refuses a name that is not there', () => {
    says('a name that is not there').toMatchInlineSnapshot(
      `"'simulatoin': Argument of type '"simulatoin"' is not assignable to parameter of type '"b" | \`b_\${number}\` | "simulation" | \`simulation_\${number}\`'."`,
    );
  });

  test('refuses an event that there is not', () => {
    says('an event that there is not').toMatchInlineSnapshot(
      `"'begun': Argument of type '"begun"' is not assignable to parameter of type '"started" | "completed" | "failed" | "ended" | AfterKeyOptions | undefined'."`,
    );
  });

  test('refuses an option of a key', () => {
    says('an option of a key').toMatchInlineSnapshot(
      `"store: Object literal may only specify known properties, and 'store' does not exist in type 'AfterKeyOptions'."`,
    );
  });

  test('refuses nodes of nobody', () => {
    says('nodes of nobody').toMatchInlineSnapshot(
      `"'c': Argument of type '"c"' is not assignable to parameter of type '"a" | "b"'."`,
    );
  });

  test('refuses TensorFlow without names', () => {
    says('TensorFlow without names').toMatchInlineSnapshot(`
      "{ backend: 'TF' }: Argument of type '{ backend: "TF"; }' is not assignable to parameter of type 'MlModelOptions'.
        Type '{ backend: "TF"; }' is missing the following properties from type 'TensorFlowModelOptions': inputs, outputs"
    `);
  });

  test('refuses TensorFlow without outputs', () => {
    says('TensorFlow without outputs').toMatchInlineSnapshot(`
      "{ backend: 'TF', inputs: ['x'] }: Argument of type '{ backend: "TF"; inputs: string[]; }' is not assignable to parameter of type 'MlModelOptions'.
        Property 'outputs' is missing in type '{ backend: "TF"; inputs: string[]; }' but required in type 'TensorFlowModelOptions'."
    `);
  });

  test('refuses names for ONNX', () => {
    says('names for ONNX').toMatchInlineSnapshot(`
      "{ backend: 'ONNX', inputs: ['x'] }: Argument of type '{ backend: "ONNX"; inputs: string[]; }' is not assignable to parameter of type 'MlModelOptions'.
        Types of property 'inputs' are incompatible.
          Property '[explain]' is missing in type 'string[]' but required in type 'NotAllowed<"only backend TF is told the names of inputs: other models know theirs">'."
    `);
  });

  test('refuses an unknown backend', () => {
    says('an unknown backend').toMatchInlineSnapshot(
      `"backend: Type '"KERAS"' is not assignable to type '"ONNX" | "TORCH" | "TF" | "TFLITE"'."`,
    );
  });

  test('refuses a misspelt option', () => {
    says('a misspelt option').toMatchInlineSnapshot(
      `"walltme: Object literal may only specify known properties, but 'walltme' does not exist in type 'BatchOptions'. Did you mean to write 'walltime'?"`,
    );
  });

  test('refuses a list for a model', () => {
    says('a list for a model').toMatchInlineSnapshot(
      `"N: Type 'number[]' is not assignable to type 'string | number | bigint | boolean'."`,
    );
  });

  test('refuses a strategy for a model', () => {
    says('a strategy for a model').toMatchInlineSnapshot(
      `"strategy: Type 'string' is not assignable to type 'NotAllowed<"a model has one value a parameter: .ensemble() runs several">'."`,
    );
  });

  test('refuses an unknown strategy', () => {
    says('an unknown strategy').toMatchInlineSnapshot(
      `"strategy: Type '"all_perm"' is not assignable to type '"all-perm" | "step" | "random" | StrategyFunction | undefined'. Did you mean '"all-perm"'?"`,
    );
  });

  test('refuses replicas of a model', () => {
    says('replicas of a model').toMatchInlineSnapshot(
      `"replicas: Property 'replicas' does not exist on type 'ModelBuilder<"m", false>'."`,
    );
  });

  test('refuses files for an orchestrator', () => {
    says('files for an orchestrator').toMatchInlineSnapshot(
      `"attach: Property 'attach' does not exist on type 'OrchestratorBuilder<"orchestrator">'."`,
    );
  });

  test('refuses an unknown eviction policy', () => {
    says('an unknown eviction policy').toMatchInlineSnapshot(
      `"evictionPolicy: Type '"lru"' is not assignable to type '"noeviction" | "allkeys-lru" | "allkeys-lfu" | "allkeys-random" | "volatile-lru" | "volatile-lfu" | "volatile-random" | "volatile-ttl" | undefined'."`,
    );
  });

  test('refuses an unknown launcher', () => {
    says('an unknown launcher').toMatchInlineSnapshot(
      `"'mpirn': Argument of type '"mpirn"' is not assignable to parameter of type '"srun" | "mpirun" | "mpiexec" | "orterun" | "pals" | "aprun" | "jsrun" | "none"'."`,
    );
  });

  test('refuses a function that returns no tensor', () => {
    says('a function that returns no tensor').toMatchInlineSnapshot(
      `"7: Type 'number' is not assignable to type 'SymbolicTensor | readonly SymbolicTensor[]'."`,
    );
    says('a script as a function').toMatch(/Type 'string' is not assignable to type 'SymbolicTensor/);
  });
});
