/** End of the name of a folder that an experiment is compiled into unless the user says another one. */
export const compiledEnding = '.simwright';

/** Folder that an experiment is compiled into unless the user says another one. */
export function defaultFolder(experiment: string): string {
  return `${experiment}${compiledEnding}`;
}
