import type { Launcher, NotSupported } from '../target.js';
import type { Programs } from './programs.js';

/** No launcher: the program itself, once, on the script's host. */
export const none: Launcher = {
  name: 'none',
  sharesNodes: true,
  rankVariables: [],
  noise: [],
  line: (programs) => refusal(programs) ?? { words: programs[0].words },
};

function refusal(programs: Programs): NotSupported | undefined {
  const [{ step, words }] = programs;
  const instead = "name a launcher with .launcher(), 'mpirun' for example";
  if (programs.length > 1)
    return { notSupported: 'several programs need a launcher to start them together', hint: instead };
  // A store without words starts on the script's host, whatever its tasks.
  if (step.tasks > 1 && words.length > 0) {
    return { notSupported: `without a launcher a program is started once, not ${step.tasks} times`, hint: instead };
  }
  const options = [
    ...((step.hosts ?? []).length > 0 ? ['hosts'] : []),
    ...((step.excludeHosts ?? []).length > 0 ? ['excludeHosts'] : []),
    ...(step.cpuBind === undefined ? [] : ['cpuBind']),
    ...(Object.keys(step.launcherArgs).length > 0 ? ['launcherArgs'] : []),
  ];
  return options.length === 0
    ? undefined
    : { notSupported: `${options.join(', ')} need a launcher to be told`, hint: instead };
}
