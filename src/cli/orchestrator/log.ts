/** From the least to the most important. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;

export type LogLevel = (typeof logLevels)[number];

/** Writes one line; `facts` say the same to programs. */
export type Log = (level: LogLevel, message: string, facts?: Readonly<Record<string, unknown>>) => void;

/** Log lines on stderr from `least` on: text for people, or JSON documents. */
export function logOn(stream: NodeJS.WritableStream, least: LogLevel, json: boolean): Log {
  return (level, message, facts) => {
    if (logLevels.indexOf(level) < logLevels.indexOf(least)) return;
    const time = new Date().toISOString();
    stream.write(json ? `${JSON.stringify({ time, level, message, ...facts })}\n` : `${level}: ${message}\n`);
  };
}
