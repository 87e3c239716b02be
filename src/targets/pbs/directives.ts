import { type Allocation, formatClock, type Job, type LauncherName, type Site } from '../../ir/index.js';
import { directive, jobName, throttle } from '../directives.js';
import type { Directive, JobRequest, NotSupported } from '../target.js';

const mailLetters = { fail: 'a', begin: 'b', end: 'e' } as const;

/**
 * Directives of a job. In `select`, resources are those of each chunk, and a chunk is a node here (`place=scatter`); nodes of
 * another kind are further chunks.
 */
export function pbsDirectives(job: JobRequest, _launcher: LauncherName, site: Site): readonly (readonly Directive[])[] {
  const { allocation, array, mail } = job;
  const { walltimeSeconds } = allocation;
  const name = jobName(job.name);
  const chunks = [allocation, ...job.components].flatMap((component) => chunksOf(component, site));
  return [
    [
      { flag: '-N', value: name },
      // One file for both streams; PBS copies it into the folder when the job ends. Named by PBS it has the job's id in its name, so that no
      // other submission takes its place.
      { flag: '-j', value: 'oe' },
      { flag: '-o', value: 'logs/' },
      ...directive('-m', mail === undefined ? undefined : mailOf(mail.events)),
      ...directive('-M', mail?.to),
      ...directive('-A', allocation.account),
      // In PBS a reservation is a queue.
      ...directive('-q', allocation.reservation ?? allocation.queue),
      { flag: '-l', resource: 'select', value: chunks.join('+') },
      { flag: '-l', resource: 'place', value: allocation.exclusive ? 'scatter:excl' : 'scatter' },
      ...directive('-l walltime', walltimeSeconds === undefined ? undefined : formatClock(walltimeSeconds)),
      ...directive('-J', array === undefined || array.size < 2 ? undefined : `0-${array.size - 1}${throttle(array)}`),
    ],
  ];
}

/** Letters in the order of qsub's manual. */
function mailOf(events: readonly (keyof typeof mailLetters)[]): string {
  return (['fail', 'begin', 'end'] as const)
    .flatMap((event) => (events.includes(event) ? mailLetters[event] : []))
    .join('');
}

/** `N:ncpus=…`; each named host is a chunk of its own. */
function chunksOf(allocation: Allocation, { gpuDialect }: Site): string[] {
  const { nodes, leastCpusPerNode, gpusPerNode, memoryPerNodeMiB, constraint } = allocation;
  // A chunk that names no CPUs gets one, of a node that it has for itself as well, where control groups hold a job to what it has asked for.
  const { cpusPerNode = leastCpusPerNode } = allocation;
  const resources = [
    ...(cpusPerNode === undefined ? [] : [`ncpus=${cpusPerNode}`, `mpiprocs=${cpusPerNode}`]),
    ...(gpusPerNode === undefined || gpuDialect === 'none' ? [] : [`ngpus=${gpusPerNode}`]),
    ...(memoryPerNodeMiB === undefined ? [] : [`mem=${memoryPerNodeMiB}mb`]),
    ...(constraint === undefined ? [] : [constraint]),
  ];
  const hosts = (allocation.hosts ?? []).slice(0, nodes);
  const named = hosts.map((host) => [1, ...resources, `host=${host}`].join(':'));
  const others = nodes - hosts.length;
  return others > 0 ? [...named, [others, ...resources].join(':')] : named;
}

/** The resources of `-l walltime=01:00:00,matlab=1`, each a directive. */
export function splitResources(one: Directive): readonly Directive[] {
  if (one.flag !== '-l' || typeof one.value !== 'string') return [one];
  const text = one.resource === undefined ? one.value : `${one.resource}=${one.value}`;
  return text.split(/,(?=[A-Za-z_]\w*=)/).flatMap((part) => {
    const [, resource = part, value] = /^([^=]+)=(.*)$/s.exec(part) ?? [];
    return { flag: '-l', resource, ...(value === undefined ? {} : { value }) };
  });
}

/** Nodes of `-l select=2:ncpus=4+1:mem=8gb` and `-l nodes=2:ppn=4`, a chunk each. */
export function nodesOfSelect({ flag, resource, value }: Directive): number | undefined {
  if (flag !== '-l' || (resource !== 'select' && resource !== 'nodes')) return undefined;
  // A chunk without a number is one; so is a host's name.
  return String(value)
    .split('+')
    .reduce((sum, chunk) => sum + Number(/^(\d+)(?=:|$)/.exec(chunk)?.[1] ?? 1), 0);
}

/** CPUs of the first node as a word of shell: PBS says `ncpus` of the first chunk, but for one that has `ompthreads`, of which it says those. */
export function cpusOfFirstChunk(directives: readonly Directive[]): string {
  const select = directives.find(({ flag, resource }) => flag === '-l' && resource === 'select')?.value;
  const [first = ''] = String(select ?? '').split('+');
  if (!/:ompthreads=/.test(first)) return '$NCPUS';
  return /:ncpus=(\d+)/.exec(first)?.[1] ?? '1';
}

/** Constraints that are no resources of a chunk: PBS takes `name=value` only. */
export function pbsRefusals({ allocation, components }: Job): readonly NotSupported[] {
  const texts = [allocation, ...components].flatMap(({ constraint }) => constraint ?? []);
  return [...new Set(texts)]
    .filter((text) => !/^[A-Za-z_][\w.-]*=[^\s:+&|"'[\](){}]+(:[A-Za-z_][\w.-]*=[^\s:+&|"'[\](){}]+)*$/.test(text))
    .map((text) => ({
      notSupported: `pbs reads a constraint as resources of a chunk, and '${text}' is none`,
      hint: "write name=value, several with ':' between them: 'model=a100:cpu_type=milan'",
    }));
}
