import { readFileSync } from 'node:fs';
import type ts from 'typescript';
import type { SourceLocation } from '../../diagnostics/index.js';

/**
 * The place of a key in a site's file, which exports an object or is one. Where a part of the path is not written there, it is the place of
 * the part before.
 */
export async function keyPlace(file: string, path: readonly PropertyKey[]): Promise<SourceLocation> {
  // A second of loading, for those who have made a mistake only.
  const { default: typescript } = await import('typescript');
  const start = { file, line: 1, column: 1 };
  let source: ts.SourceFile;
  try {
    const text = readFileSync(file, 'utf8');
    source = file.endsWith('.json')
      ? typescript.parseJsonText(file, text)
      : typescript.createSourceFile(file, text, typescript.ScriptTarget.Latest, true);
  } catch {
    return start;
  }
  const node = nodeAt(typescript, source, path);
  if (node === undefined) return start;
  const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source));
  return { file, line: line + 1, column: character + 1 };
}

type TypeScript = typeof ts;

/** The name of the last key of a path that is written in the file. */
function nodeAt(typescript: TypeScript, source: ts.SourceFile, path: readonly PropertyKey[]): ts.Node | undefined {
  let value = plainValue(typescript, source, exported(typescript, source));
  let found: ts.Node | undefined;
  for (const key of path) {
    if (value !== undefined && typescript.isArrayLiteralExpression(value)) {
      value = plainValue(typescript, source, value.elements[Number(key)]);
      found = value ?? found;
      continue;
    }
    if (value === undefined || !typescript.isObjectLiteralExpression(value)) break;
    const property = value.properties.find((one) => one.name !== undefined && textOf(one.name) === String(key));
    if (property?.name === undefined) break;
    found = property.name;
    value = typescript.isPropertyAssignment(property)
      ? plainValue(typescript, source, property.initializer)
      : undefined;
  }
  return found;

  function textOf(name: ts.PropertyName): string | undefined {
    if (typescript.isIdentifier(name) || typescript.isStringLiteralLike(name)) return name.text;
    return typescript.isNumericLiteral(name) ? name.text : undefined;
  }
}

/** The expression that a file exports by default. */
function exported(typescript: TypeScript, source: ts.SourceFile): ts.Expression | undefined {
  for (const statement of source.statements) {
    if (typescript.isExportAssignment(statement)) return statement.expression;
    if (source.fileName.endsWith('.json') && typescript.isExpressionStatement(statement)) return statement.expression;
  }
  return undefined;
}

/** An expression without the call of defineSite, types and names around it. */
function plainValue(
  typescript: TypeScript,
  source: ts.SourceFile,
  expression: ts.Expression | undefined,
): ts.Expression | undefined {
  if (expression === undefined) return undefined;
  if (typescript.isCallExpression(expression)) return plainValue(typescript, source, expression.arguments[0]);
  if (
    typescript.isAsExpression(expression) ||
    typescript.isSatisfiesExpression(expression) ||
    typescript.isParenthesizedExpression(expression)
  ) {
    return plainValue(typescript, source, expression.expression);
  }
  if (!typescript.isIdentifier(expression)) return expression;
  for (const statement of source.statements) {
    if (!typescript.isVariableStatement(statement)) continue;
    for (const { name, initializer } of statement.declarationList.declarations) {
      if (typescript.isIdentifier(name) && name.text === expression.text && initializer !== expression) {
        return plainValue(typescript, source, initializer);
      }
    }
  }
  return undefined;
}
