import type { Launch } from './standins.js';

/** First line of a stand-in: the command as it was called. */
export interface CallMessage {
  readonly call: {
    readonly name: string;
    readonly argv: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly cwd: string;
    readonly host: string;
    readonly pid: number;
    readonly stdin?: string;
  };
}

/** Process that a stand-in is to start. */
export interface RankOrder {
  readonly node: string;
  readonly rank: number;
  /** Prefix that brings a process onto the node; none where the stand-in is there. */
  readonly enter: readonly string[];
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly inheritsEnv: boolean;
  readonly readsStdin: boolean;
  /** Seconds that it takes, where no program is started in its place. */
  readonly stubSeconds?: number;
  /** Answer if its program is not there. */
  readonly missing: { readonly stderr: string; readonly code: number };
}

/** Lines of the server to a stand-in. */
export type ServerMessage =
  | { readonly print: { readonly stdout: string; readonly stderr: string; readonly code: number } }
  | {
      readonly ranks: readonly RankOrder[];
      readonly endsOthers: Launch['endsOthers'];
      readonly onTerminate: NonNullable<Launch['onTerminate']>;
      readonly exitCode: NonNullable<Launch['exitCode']>;
      readonly warnings: readonly string[];
    }
  | { readonly signal: NodeJS.Signals; readonly nodes?: readonly string[] };

/** Further lines of a stand-in. */
export type StandInMessage =
  | { readonly started: { readonly rank: number; readonly pid: number } }
  | { readonly ended: { readonly rank: number; readonly code: number } };

/** Calls back for every JSON line of a stream. */
export function onLines(stream: NodeJS.ReadableStream, take: (message: unknown) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (piece: string) => {
    const lines = `${rest}${piece}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') take(JSON.parse(line));
  });
}
