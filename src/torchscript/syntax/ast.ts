/** Position of a node's first character in the text. */
interface Located {
  readonly at: number;
}

/** Operators of two operands. */
export type BinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '//'
  | '%'
  | '**'
  | '@'
  | '&'
  | '|'
  | '^'
  | '<<'
  | '>>'
  | '<'
  | '>'
  | '=='
  | '!='
  | '<='
  | '>='
  | 'and'
  | 'or'
  | 'in'
  | 'not in'
  | 'is'
  | 'is not';

/** Operators of one operand. */
export type UnaryOperator = '-' | '~' | 'not';

/** A part of a subscript `a[from:to:step]`. */
export interface SliceNode extends Located {
  readonly type: 'slice';
  readonly from: Expression | undefined;
  readonly to: Expression | undefined;
  readonly step: Expression | undefined;
}

/** An argument of a call; one by its keyword has a name. */
export interface ArgumentNode extends Located {
  readonly name: string | undefined;
  readonly value: Expression;
}

/** A literal: an integer is a bigint, a float a number. */
export interface LiteralNode extends Located {
  readonly type: 'literal';
  readonly value: bigint | number | boolean | string | null;
}

export interface NameNode extends Located {
  readonly type: 'name';
  readonly name: string;
}

export interface AttributeNode extends Located {
  readonly type: 'attribute';
  readonly of: Expression;
  readonly name: string;
}

export interface SubscriptNode extends Located {
  readonly type: 'subscript';
  readonly of: Expression;
  readonly items: readonly (Expression | SliceNode)[];
}

export interface CallNode extends Located {
  readonly type: 'call';
  readonly callee: Expression;
  readonly arguments: readonly ArgumentNode[];
}

export interface SequenceNode extends Located {
  readonly type: 'list' | 'tuple';
  readonly items: readonly Expression[];
}

/** `[element for target in over if test]` */
export interface ComprehensionNode extends Located {
  readonly type: 'comprehension';
  readonly element: Expression;
  readonly target: Expression;
  readonly over: Expression;
  readonly test: Expression | undefined;
}

export type Expression =
  | LiteralNode
  | NameNode
  | AttributeNode
  | SubscriptNode
  | CallNode
  | SequenceNode
  | ComprehensionNode
  | (Located & { readonly type: 'ellipsis' })
  | (Located & { readonly type: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression })
  | (Located & {
      readonly type: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    })
  | (Located & {
      readonly type: 'conditional';
      readonly test: Expression;
      readonly whenTrue: Expression;
      readonly otherwise: Expression;
    });

export type Statement =
  | (Located & { readonly type: 'expression'; readonly value: Expression })
  | (Located & {
      readonly type: 'assign';
      readonly targets: readonly Expression[];
      readonly annotation: Expression | undefined;
      readonly value: Expression;
    })
  | (Located & {
      readonly type: 'update';
      readonly target: Expression;
      readonly operator: BinaryOperator;
      readonly value: Expression;
    })
  | (Located & {
      readonly type: 'if';
      readonly test: Expression;
      readonly whenTrue: readonly Statement[];
      readonly otherwise: readonly Statement[];
    })
  | (Located & {
      readonly type: 'for';
      readonly target: Expression;
      readonly over: Expression;
      readonly body: readonly Statement[];
    })
  | (Located & { readonly type: 'while'; readonly test: Expression; readonly body: readonly Statement[] })
  | (Located & { readonly type: 'return'; readonly value: Expression | undefined })
  | (Located & { readonly type: 'assert'; readonly test: Expression; readonly message: Expression | undefined })
  | (Located & { readonly type: 'raise'; readonly value: Expression | undefined })
  | (Located & { readonly type: 'pass' | 'break' | 'continue' });

/** A parameter of a function. */
export interface ParameterNode extends Located {
  readonly name: string;
  readonly annotation: Expression | undefined;
  readonly fallback: Expression | undefined;
  readonly isKeywordOnly: boolean;
}

export interface FunctionNode extends Located {
  readonly name: string;
  readonly parameters: readonly ParameterNode[];
  readonly result: Expression | undefined;
  readonly body: readonly Statement[];
}
