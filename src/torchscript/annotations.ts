import { Refusal } from './problem.js';
import type { Expression } from './syntax/ast.js';

/** A type that an annotation names. */
export type ScriptType =
  | { readonly name: 'Tensor' | 'int' | 'float' | 'bool' | 'str' | 'Device' | 'None' | 'Any' | 'number' }
  | { readonly name: 'List' | 'Optional'; readonly of: ScriptType }
  | { readonly name: 'Tuple'; readonly items: readonly ScriptType[] };

const tensor: ScriptType = { name: 'Tensor' };

/** Types that are written as one name. */
const plain: Readonly<Record<string, ScriptType>> = {
  Tensor: tensor,
  'torch.Tensor': tensor,
  int: { name: 'int' },
  float: { name: 'float' },
  bool: { name: 'bool' },
  str: { name: 'str' },
  None: { name: 'None' },
  Any: { name: 'Any' },
  Device: { name: 'Device' },
  'torch.device': { name: 'Device' },
  'torch.dtype': { name: 'int' },
  number: { name: 'number' },
};

/** Names that annotations use and that are no variables. */
export const typeNames: ReadonlySet<string> = new Set([
  ...Object.keys(plain),
  'List',
  'Tuple',
  'Optional',
  'list',
  'tuple',
]);

/** The type that an annotation names; Tensor without one. @throws Refusal */
export function typeOf(annotation: Expression | undefined): ScriptType {
  if (annotation === undefined) return tensor;
  const found = Object.hasOwn(plain, nameOf(annotation)) ? plain[nameOf(annotation)] : undefined;
  if (found !== undefined) return found;
  if (annotation.type === 'subscript') {
    const outer = nameOf(annotation.of).replace(/^typing\./, '');
    const items = annotation.items.map((item) => {
      if (item.type === 'slice') throw new Refusal('syntax', 'an annotation has no range');
      return typeOf(item);
    });
    const [first] = items;
    if (/^[Tt]uple$/.test(outer)) return { name: 'Tuple', items };
    if (/^[Ll]ist$/.test(outer) && first !== undefined) return { name: 'List', of: first };
    if (outer === 'Optional' && first !== undefined) return { name: 'Optional', of: first };
    if (/^([Dd]ict|Union|Future|Final)$/.test(outer)) throw new Refusal('subset', `the type ${outer}`);
  }
  throw new Refusal('failed', `Unknown type name '${nameOf(annotation)}'`);
}

function nameOf(expression: Expression): string {
  if (expression.type === 'name') return expression.name;
  if (expression.type === 'literal') return expression.value === null ? 'None' : String(expression.value);
  return expression.type === 'attribute' ? `${nameOf(expression.of)}.${expression.name}` : '';
}

/** The type as TorchScript writes it. */
export function typeText(type: ScriptType): string {
  if ('of' in type) return `${type.name}[${typeText(type.of)}]`;
  return 'items' in type ? `Tuple[${type.items.map(typeText).join(', ')}]` : type.name;
}
