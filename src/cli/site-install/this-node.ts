/** The Node.js that runs this command, as it matters where it is copied to. */
export interface ThisNode {
  readonly path: string;
  readonly version: string;
  /** The glibc that it was built with, which is about the oldest that it runs with. */
  readonly glibc: string | undefined;
  /** Libraries that official builds contain, and that this build loads from the machine. */
  readonly sharedLibraries: readonly string[];
}

/** The parts of a diagnostic report that describe Node.js and its machine. */
interface ReportHeader {
  readonly glibcVersionCompiler?: string;
  readonly glibcVersionRuntime?: string;
}

/** The glibc that Node.js was built with, and the one it runs with. Undefined where there is another C library. */
export function glibcVersions(): { readonly compiler: string | undefined; readonly runtime: string | undefined } {
  const { header } = process.report.getReport() as { readonly header: ReportHeader };
  return { compiler: header.glibcVersionCompiler, runtime: header.glibcVersionRuntime };
}

/** Describes the Node.js that runs this command. */
export function thisNode(): ThisNode {
  const variables = process.config.variables as Readonly<Record<string, unknown>>;
  return {
    path: process.execPath,
    version: process.versions.node,
    glibc: glibcVersions().compiler,
    sharedLibraries: sharedLibraries(variables),
  };
}

/** `zlib` of `node_shared_zlib: true`; `libnode` where even Node.js itself is a library. */
export function sharedLibraries(variables: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(variables)
    .filter(([name, value]) => /^node_shared(_|$)/.test(name) && (value === true || value === 'true'))
    .map(([name]) => (name === 'node_shared' ? 'libnode' : name.slice('node_shared_'.length)));
}
