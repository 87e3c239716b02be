import { typeNames, typeOf, typeText } from './annotations.js';
import { tensorMethods, torchFunctions } from './library/index.js';
import { Refusal, ScriptError, type ScriptProblem } from './problem.js';
import { builtins } from './run/builtins.js';
import { listMethods } from './run/list-methods.js';
import type { Expression, FunctionNode, Statement } from './syntax/ast.js';
import { type ParsedScript, parse } from './syntax/parse.js';
import type { Source } from './syntax/source.js';
import { dtypeNamed } from './values/dtypes.js';

/** A parameter of a script's function. */
export interface ScriptParameter {
  readonly name: string;
  /** As TorchScript writes it, e.g. `List[Tensor]`. */
  readonly type: string;
}

/** A script that can be compiled function by function. */
export interface Script {
  readonly parsed: ParsedScript;
  /** Parameters of its functions. */
  readonly functions: ReadonlyMap<string, readonly ScriptParameter[]>;
  /** Parts that need PyTorch. Functions without them run all the same. */
  readonly outside: readonly ScriptProblem[];
}

/** Parses a script and checks its names. @throws ScriptError of the first problem that PyTorch has with it, too */
export function parseScript(text: string): Script {
  const parsed = parse(text);
  const { source } = parsed;
  const functions = new Map<string, readonly ScriptParameter[]>();
  const check = new NameCheck(source, new Set(parsed.functions.map(({ name }) => name)));
  for (const one of parsed.functions) {
    if (functions.has(one.name)) throw source.problem('failed', `the function ${one.name} is defined twice`, one.at);
    functions.set(one.name, parametersOf(source, one));
    check.function(one);
  }
  return { parsed, functions, outside: check.outside };
}

/** Problems of a script: the one that keeps it from being parsed, or all parts of it that need PyTorch. */
export function checkScript(text: string): readonly ScriptProblem[] {
  try {
    return parseScript(text).outside;
  } catch (error) {
    if (error instanceof ScriptError) return [error.problem];
    throw error;
  }
}

function parametersOf(source: Source, { parameters }: FunctionNode): ScriptParameter[] {
  return parameters.map(({ name, annotation, fallback, at }) => {
    if (fallback !== undefined && annotation === undefined) {
      throw source.problem('failed', 'Keyword arguments with defaults need to be type-hinted', at);
    }
    try {
      return { name, type: typeText(typeOf(annotation)) };
    } catch (error) {
      if (error instanceof Refusal) throw source.problem(error.kind, error.message, annotation?.at ?? at);
      throw error;
    }
  });
}

const attributes: ReadonlySet<string> = new Set(
  'shape dtype device ndim T mT data is_cuda requires_grad values indices type format execute asList model_execute'.split(
    ' ',
  ),
);
const others: ReadonlySet<string> = new Set(['torch', ...typeNames]);

/** Names that TorchScript or RedisAI knows, and that are not compiled here. */
const needPytorch: ReadonlySet<string> = new Set(
  'redis redisAI isinstance hasattr getattr ord chr hex oct bin divmod sorted dict set all any complex hash Dict'.split(
    ' ',
  ),
);
const torchNames: ReadonlySet<string> = new Set('pi e inf nan device nn nn.functional Tensor'.split(' '));

/** Looks at all names of functions, those that are not reached among them. */
class NameCheck {
  readonly outside: ScriptProblem[] = [];
  readonly #source: Source;
  readonly #functions: ReadonlySet<string>;
  #known: Set<string> = new Set();

  constructor(source: Source, functions: ReadonlySet<string>) {
    this.#source = source;
    this.#functions = functions;
  }

  function({ parameters, body }: FunctionNode): void {
    this.#known = new Set(parameters.map(({ name }) => name));
    collect(body, this.#known);
    for (const { fallback } of parameters) if (fallback !== undefined) this.#expression(fallback);
    this.#statements(body);
  }

  #statements(statements: readonly Statement[]): void {
    for (const statement of statements) {
      switch (statement.type) {
        case 'if':
          this.#expressions(statement.test);
          this.#statements([...statement.whenTrue, ...statement.otherwise]);
          break;
        case 'for':
          this.#expressions(statement.over);
          this.#statements(statement.body);
          break;
        case 'while':
          this.#expressions(statement.test);
          this.#statements(statement.body);
          break;
        case 'assign':
          this.#expressions(statement.value, ...statement.targets);
          break;
        case 'update':
          this.#expressions(statement.target, statement.value);
          break;
        case 'assert':
          this.#expressions(statement.test, statement.message);
          break;
        case 'raise':
          // The name of the error is Python's.
          if (statement.value?.type === 'call')
            this.#expressions(...statement.value.arguments.map(({ value }) => value));
          break;
        case 'return':
        case 'expression':
          this.#expressions(statement.value);
          break;
        default:
      }
    }
  }

  #expressions(...expressions: readonly (Expression | undefined)[]): void {
    for (const expression of expressions) if (expression !== undefined) this.#expression(expression);
  }

  #expression(expression: Expression): void {
    switch (expression.type) {
      case 'name':
        this.#name(expression.name, expression.at);
        break;
      case 'attribute':
        this.#attribute(expression);
        break;
      case 'subscript':
        this.#expression(expression.of);
        for (const item of expression.items) {
          if (item.type === 'slice') this.#expressions(item.from, item.to, item.step);
          else this.#expression(item);
        }
        break;
      case 'call':
        this.#expressions(expression.callee, ...expression.arguments.map(({ value }) => value));
        break;
      case 'list':
      case 'tuple':
        this.#expressions(...expression.items);
        break;
      case 'unary':
        this.#expression(expression.operand);
        break;
      case 'binary':
        this.#expressions(expression.left, expression.right);
        break;
      case 'conditional':
        this.#expressions(expression.test, expression.whenTrue, expression.otherwise);
        break;
      case 'comprehension':
        collectTarget(expression.target, this.#known);
        this.#expressions(expression.over, expression.element, expression.test);
        break;
      default:
    }
  }

  #name(name: string, at: number): void {
    const isKnown = this.#known.has(name) || this.#functions.has(name) || Object.hasOwn(builtins, name);
    if (!isKnown && needPytorch.has(name)) this.#note(name, at);
    if (needPytorch.has(name)) return;
    if (!isKnown && !others.has(name)) throw this.#source.problem('failed', `undefined value ${name}`, at);
  }

  #attribute({ of, name, at }: Expression & { type: 'attribute' }): void {
    const path = pathOf(of);
    if (path === undefined || this.#known.has('torch')) {
      this.#expression(of);
      if (!tensorMethods.has(name) && !attributes.has(name) && !Object.hasOwn(listMethods, name)) {
        this.#note(`the method '${name}' of tensors`, at);
      }
      return;
    }
    const whole = [...path, name].join('.');
    const isKnown =
      torchNames.has(whole) ||
      (path.length === 0 && (dtypeNamed(name) !== undefined || torchFunctions.has(name))) ||
      (path.join('.') === 'nn.functional' && torchFunctions.has(name));
    if (!isKnown) this.#note(`torch.${whole}`, at);
  }

  #note(message: string, at: number): void {
    this.outside.push({ kind: 'subset', message, ...this.#source.placeOf(at) });
  }
}

/** Names below `torch`, undefined if the expression is no such path. */
function pathOf(expression: Expression): string[] | undefined {
  if (expression.type === 'name') return expression.name === 'torch' ? [] : undefined;
  if (expression.type !== 'attribute') return undefined;
  const path = pathOf(expression.of);
  return path === undefined ? undefined : [...path, expression.name];
}

/** Adds the variables that statements assign. */
function collect(statements: readonly Statement[], into: Set<string>): void {
  for (const statement of statements) {
    if (statement.type === 'assign') for (const target of statement.targets) collectTarget(target, into);
    if (statement.type === 'for') collectTarget(statement.target, into);
    if (statement.type === 'for' || statement.type === 'while') collect(statement.body, into);
    if (statement.type === 'if') collect([...statement.whenTrue, ...statement.otherwise], into);
  }
}

function collectTarget(target: Expression, into: Set<string>): void {
  if (target.type === 'name') into.add(target.name);
  if (target.type === 'tuple' || target.type === 'list') for (const item of target.items) collectTarget(item, into);
}
