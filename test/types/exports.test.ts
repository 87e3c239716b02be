import { fileURLToPath } from 'node:url';
import { type Node, Project, SyntaxKind } from 'ts-morph';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What of a declaration its users see: a function's body and a class's are its own. */
function seen(declaration: Node): Node[] {
  const callable = declaration.asKind(SyntaxKind.FunctionDeclaration);
  if (callable === undefined) return declaration.isKind(SyntaxKind.ClassDeclaration) ? [] : [declaration];
  return [...callable.getParameters(), callable.getReturnTypeNode()].filter((node) => node !== undefined);
}

test('every type that a signature of the DSL names can be imported', () => {
  const project = new Project({ tsConfigFilePath: `${root}tsconfig.json`, skipAddingFilesFromTsConfig: true });
  const index = project.addSourceFileAtPath(`${root}src/index.ts`);
  project.resolveSourceFileDependencies();
  const exported = new Map([...index.getExportedDeclarations()]);
  const missing = new Set<string>();
  let looked = 0;
  for (const declarations of exported.values()) {
    for (const declaration of declarations) {
      // Of src/ir, whose schemas the types of a declaration come from, only what the DSL names is public.
      if (!declaration.getSourceFile().getFilePath().includes('/src/dsl/')) continue;
      for (const node of seen(declaration)) {
        for (const reference of node.getDescendantsOfKind(SyntaxKind.TypeReference)) {
          const symbol = reference.getTypeName().getSymbol();
          const target = symbol?.getAliasedSymbol() ?? symbol;
          const own = target
            ?.getDeclarations()
            .find((found) => found.getSourceFile().getFilePath().startsWith(`${root}src/`));
          if (target === undefined || own === undefined || own.isKind(SyntaxKind.TypeParameter)) continue;
          looked++;
          const isExported = 'isExported' in own && typeof own.isExported === 'function' && own.isExported();
          if (isExported && !exported.has(target.getName())) missing.add(target.getName());
        }
      }
    }
  }
  expect([...missing]).toEqual([]);
  expect(looked).toBeGreaterThan(50);
});
