import type { Launcher } from '../target.js';
import { blankStyle, type LauncherOption, optionsOf, optionWords } from './options.js';
import { colonLine, hostList, hostSlots, type Programs, refuseExcludedHosts, shared } from './programs.js';

const option = optionsOf(blankStyle);

/**
 * Open MPI's launcher under one of its names. It hands on only the variables named by `-x`, but for tasks on its own host, which
 * inherit all. Each launch binds its tasks as if it had the host to itself, so that two side by side would share the first cores:
 * binding is left to steps that are alone, and to users who ask for it.
 */
function openMpi(name: 'mpirun' | 'orterun'): Launcher {
  return {
    name,
    program: name,
    mpi: { name: 'Open MPI', version: /Open ?MPI|OpenRTE|PRRTE/i },
    sharesNodes: true,
    namesHosts: true,
    spreadsPrograms: true,
    passOn: (variable) => ['-x', variable],
    rankVariables: ['OMPI_COMM_WORLD_RANK', 'PMIX_RANK'],
    noise,
    line: (programs) =>
      refuseExcludedHosts(name, programs) ??
      colonLine(name, programs, (step, isFirst) =>
        optionWords(
          [
            { names: ['n', 'np', 'c'], words: ['-np', String(step.tasks)] },
            ...(isFirst ? placement(programs) : []),
            ...option('host hostfile H machinefile', hostSlots(step, slotsOf(programs))),
            // A laptop may have fewer cores than the workflow has tasks.
            ...(isFirst && hostList(step) === undefined ? option('oversubscribe nooversubscribe', true) : []),
            ...(hostList(step) !== undefined ? step.environment.map((one) => ({ names: [], words: ['-x', one] })) : []),
          ],
          step.launcherArgs,
          blankStyle,
        ),
      ),
  };
}

/** Tasks that a host takes: those of all programs, which share it. */
function slotsOf(programs: Programs): number {
  const nodes = Math.max(...programs.map(({ step }) => step.nodes));
  if (programs.length === 1) return programs[0].step.tasksPerNode;
  return programs.reduce((sum, { step }) => sum + Math.ceil(step.tasks / nodes), 0);
}

const noise = [
  /^the job to be terminated\. The first process|^(Primary job\s+terminated normally|a non-zero exit code|Per user-direction, the job)/,
  /^(mpirun|mpiexec|prterun|orterun|prun)( has)? (detected|exited|noticed) /,
  /^(non-zero status, thus causing|to be terminated\. The first process to do so|causing the job to be terminated)/,
  /^\s*Process name: \[\[|^\s*Exit code:\s+-?\d+\s*$/i,
  /^(NOTE: )?invoking MPI_ABORT causes|^You may or may not see output|^exactly when Open MPI kills them/,
  /^(\[.*\] )?(\d+ more processes? ha(s|ve) sent help message|Set MCA parameter)/,
  /^(did not launch the job\.|rank \d+; it may have occurred|NOTE: A common cause for this error is misspelling)/,
  /^(line parameter option \(remember|unrecognized command line token as the executable)/,
];

/** Options that hold for all programs of a line: how tasks are spread over hosts, and bound. */
function placement(programs: Programs): readonly LauncherOption[] {
  const [{ step }] = programs;
  const mapped = hostList(step) === undefined ? undefined : mapping(programs);
  if (step.cpuBind !== undefined) {
    return [
      ...option('map-by', mapped),
      ...option('bind-to', 'cpu-list:ordered'),
      ...option('cpu-list cpu-set', step.cpuBind.join(',')),
    ];
  }
  const cpus = shared(programs, ({ cpusPerTask }) => cpusPerTask);
  if (mapped !== undefined && step.alone === true && cpus !== undefined) {
    return option('map-by', `${mapped}:PE=${cpus}`);
  }
  return [...option('map-by', mapped), ...option('bind-to', 'none')];
}

/** As many tasks a node as the step says; programs that differ take turns over the nodes, which comes to the same. */
function mapping(programs: Programs): string {
  const perNode = shared(programs, ({ tasksPerNode }) => tasksPerNode);
  return perNode === undefined || programs.length > 1 ? 'node' : `ppr:${perNode}:node`;
}

/** Open MPI's mpirun. */
export const mpirun = openMpi('mpirun');

/** Open MPI's launcher under the name of its runtime. */
export const orterun = openMpi('orterun');
