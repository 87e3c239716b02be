/** A parameter of an operation, from a schema in PyTorch's notation. */
export interface SchemaParameter {
  readonly name: string;
  /** Without `?` and `[]`. */
  readonly type: string;
  readonly isOptional: boolean;
  /** `many` is a list; `list` may also be a single item. */
  readonly list: 'none' | 'many' | 'list';
  /** Its default as text, undefined without one. */
  readonly fallback: string | undefined;
  readonly isKeywordOnly: boolean;
}

/** Name and parameters of an operation. */
export interface Schema {
  readonly name: string;
  readonly parameters: readonly SchemaParameter[];
}

/** Reads `name(Tensor self, int[1]? dim=None, *, bool keepdim=False)`. */
export function parseSchema(text: string): Schema {
  const open = text.indexOf('(');
  const parameters: SchemaParameter[] = [];
  let isKeywordOnly = false;
  for (const part of text.slice(open + 1, -1).split(', ')) {
    if (part === '*') isKeywordOnly = true;
    else if (part !== '') parameters.push(parameterOf(part, isKeywordOnly));
  }
  return { name: text.slice(0, open), parameters };
}

function parameterOf(text: string, isKeywordOnly: boolean): SchemaParameter {
  const found = /^(\w+)(\[1?\])?(\?)? (\w+)(?:=(.*))?$/.exec(text);
  if (found === null) throw new Error(`the schema has the parameter '${text}'`);
  const [, type = '', brackets, mark, name = '', fallback] = found;
  return {
    name,
    type,
    isOptional: mark !== undefined,
    list: brackets === undefined ? 'none' : brackets === '[]' ? 'many' : 'list',
    fallback,
    isKeywordOnly,
  };
}
