// Writes docs/options.md, the reference of the DSL's options: node --import tsx scripts/options-page.ts
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type InterfaceDeclaration, Project, type Symbol as Property, SyntaxKind, ts } from 'ts-morph';
import * as modules from '../src/ir/options/index.js';

const tables = modules as unknown as Readonly<Record<string, modules.OptionTable>>;
const root = fileURLToPath(new URL('..', import.meta.url));

/** Sections of the page: a heading, the types of its options, and the sections whose options it takes as well. */
const sections: readonly (readonly [heading: string, types: readonly string[], also?: readonly string[]])[] = [
  ['.batch(options)', ['BatchOptions']],
  ['.batch({ mail })', ['MailOptions']],
  ['.batch({ directives })', ['DirectiveOptions']],
  ['.params(values, options) of an ensemble', ['ParamsOptions']],
  ['.params(values, options) of a model', ['ModelParamsOptions']],
  ['.addModel(name, command, options)', ['AddModelOptions']],
  ['.attach(options)', ['AttachOptions']],
  ['.after(name, options)', ['AfterKeyOptions']],
  ['.requires(options)', ['RequiresOptions']],
  ['.setup(options)', ['SetupOptions']],
  ['.orchestrator(options)', ['OrchestratorOptions'], ['Any store']],
  ['.colocate({ tcp: true })', ['ColocateTcpOptions'], ['Any store']],
  ['.colocate({ uds: true })', ['ColocateUdsOptions'], ['Any store']],
  ['Any store', ['StoreLimits']],
  ['.rayCluster(name, options)', ['RayClusterOptions']],
  ['.addMlModel(name, source, options)', ['SelfDescribedModelOptions'], ['Place of a model or script']],
  ['.addMlModel(name, source, options) for TF', ['TensorFlowModelOptions'], ['Place of a model or script']],
  ['.addScript(name, source, options)', [], ['Place of a model or script']],
  ['.addFunction(name, source, options)', ['FunctionOptions'], ['Place of a model or script']],
  ['Place of a model or script', ['PlacementOptions']],
  ['apptainer(image, options)', ['ContainerOptions']],
];

/** Types whose options have a section of their own wherever they are taken. */
const shared = ['storeLimits', 'placementOptions'];
const ownShared = ['StoreLimits', 'PlacementOptions'];

/** The page, from the types that users see: what the editor shows is what stands here. */
export function optionsPage(): string {
  const project = new Project({ tsConfigFilePath: `${root}tsconfig.json`, skipAddingFilesFromTsConfig: true });
  const index = project.addSourceFileAtPath(`${root}src/index.ts`);
  project.resolveSourceFileDependencies();
  const types = index.getExportedDeclarations();
  const interfaceOf = (name: string) => {
    const declaration = types.get(name)?.[0]?.asKind(SyntaxKind.InterfaceDeclaration);
    if (declaration === undefined) throw new Error(`src/index.ts exports no interface ${name}`);
    return declaration;
  };
  const described = new Set(sections.flatMap(([, names]) => names));
  const missing = [...types.keys()].filter(
    (name) =>
      name.endsWith('Options') && types.get(name)?.[0]?.isKind(SyntaxKind.InterfaceDeclaration) && !described.has(name),
  );
  if (missing.length > 0) throw new Error(`no section has ${missing.join(', ')}`);
  const checker = project.getTypeChecker().compilerObject;
  const text = sections.map(([heading, names, also = []]) =>
    [
      `## ${heading}`,
      ...names.map(interfaceOf).flatMap((type) => [...introductionOf(type), ...tableOf(type, checker)]),
      ...also.map((other) => `Takes the options of [${other}](#${anchorOf(other)}) as well.`),
    ].join('\n\n'),
  );
  return `${[introduction, ...text].join('\n\n')}\n`;
}

const introduction = `<!-- Written by scripts/options-page.ts from src/ir/options: change it there. -->

# Options

Every option of every call of the DSL, as the editor shows it. An option without a default is absent unless it is given.`;

function introductionOf(type: InterfaceDeclaration): string[] {
  return type.getJsDocs().map((doc) => oneLine(doc.getDescription()));
}

function tableOf(type: InterfaceDeclaration, checker: ts.TypeChecker): string[] {
  // In the order of the source: a mapped type has its properties in one that other files decide.
  const place = (property: Property) =>
    variableOf(property) === undefined ? -1 : (property.getDeclarations()[0]?.getPos() ?? 0);
  const rows = type
    .getType()
    .getProperties()
    .sort((a, b) => place(a) - place(b))
    .filter((property) => !shared.includes(variableOf(property) ?? '') || ownShared.includes(type.getName()))
    .flatMap((property) => rowOf(property, type, checker));
  return rows.length === 0 ? [] : [['| option | type | default | |', '| --- | --- | --- | --- |', ...rows].join('\n')];
}

function rowOf(property: Property, type: InterfaceDeclaration, checker: ts.TypeChecker): string[] {
  const name = property.getName();
  const own = property.getTypeAtLocation(type).getNonNullableType();
  // Options that a type only refuses are none.
  if (own.isNever() || own.getSymbol()?.getName() === 'NotAllowed') return [];
  const option = tables[variableOf(property) ?? '']?.[name];
  const choices = option?.facts.check.kind === 'choice' ? option.facts.check.choices : undefined;
  const text =
    choices?.map((one) => `'${one}'`).join(' | ') ??
    own.getText(type, ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseSingleQuotesForStringLiteralType);
  const documentation = ts.displayPartsToString(property.compilerSymbol.getDocumentationComment(checker));
  const tag = property.getJsDocTags().find((one) => one.getName() === 'default');
  const fallback = ts.displayPartsToString(tag?.getText() ?? []);
  checkFallback(`${type.getName()}.${name}`, option, fallback);
  const required = property.isOptional() ? fallback : 'required';
  return [`| ${[`\`${name}\``, `\`${text}\``, required, documentation].map(cell).join(' | ')} |`];
}

/** A fallback that is recorded is the one that the comment names. */
function checkFallback(what: string, option: modules.OptionTable[string] | undefined, said: string): void {
  const fallback: unknown = option?.facts.fallback;
  if (fallback === undefined || (typeof fallback === 'object' && Object.keys(fallback as object).length === 0)) return;
  const is = JSON.stringify(fallback).replaceAll('"', "'").replaceAll(',', ', ');
  if (said !== is) throw new Error(`the comment on ${what} says @default ${said}, and the table ${is}`);
}

/** The variable of the table that an option stands in. */
function variableOf(property: Property): string | undefined {
  return property.getDeclarations()[0]?.getFirstAncestorByKind(SyntaxKind.VariableDeclaration)?.getName();
}

const cell = (text: string) => oneLine(text).replaceAll('|', '\\|');
const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^a-z0-9 ]/g, '')
    .replaceAll(' ', '-');

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(`${root}docs/options.md`, optionsPage());
