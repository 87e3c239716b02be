import {
  type Ask,
  describeScheduler,
  type Finding,
  gatherShapes,
  noAnswer,
  type Probed,
  type Queue,
  type SchedulerFacts,
} from '../probe.js';

/** A parallel environment, and how it spreads slots over hosts: `$pe_slots`, `$fill_up`, `$round_robin`, or slots a host. */
export interface ParallelEnvironment {
  readonly name: string;
  readonly rule: string;
}

/** Asks `qhost`, `qstat` and `qconf`. */
export async function probeSge(ask: Ask): Promise<Probed<SchedulerFacts>> {
  const [help, hosts, configuration, list, complexes] = await Promise.all([
    ask('qstat', '-help'),
    ask('qhost', '-q', '-xml'),
    ask('qconf', '-sconf'),
    ask('qconf', '-spl'),
    ask('qconf', '-sc'),
  ]);
  const version = /^\S*GE\S* (\d\S*)/m.exec(help.stdout)?.[1];
  if (!hosts.ok) return noAnswer('sge', version, hosts.why);
  const names = list.ok ? list.stdout.split(/\s+/).filter((name) => name !== '') : [];
  const texts = await Promise.all(names.map((name) => ask('qconf', '-sp', name)));
  const environments = names.map((name, index) => ({ name, rule: ruleOf(texts[index]?.stdout ?? '') }));
  const facts = parseSge(version, hosts.stdout, configuration.stdout);
  const findings = [...describeScheduler(facts), describeEnvironments(environments), ...describeGpus(complexes.stdout)];
  return { facts, findings };
}

function ruleOf(text: string): string {
  return /^allocation_rule\s+(\S+)/m.exec(text)?.[1] ?? '?';
}

/** Queues with their hosts: a core is a slot, since that is what jobs get. */
export function parseSge(version: string | undefined, hostsText: string, configuration: string): SchedulerFacts {
  const maxArraySize = Number(/^max_aj_tasks\s+(\d+)/m.exec(configuration)?.[1]);
  const shapes = new Map<string, { cores: number; gpus: number; memoryMiB: number | undefined }[]>();
  for (const [, host = ''] of hostsText.matchAll(/<host name=.*?>(.*?)<\/host>/gs)) {
    const memoryMiB = mebibytes(/name='mem_total'>([^<]*)</.exec(host)?.[1] ?? '');
    for (const [, name = '', slots] of host.matchAll(/qname='([^']*)' name='slots'>(\d+)</g)) {
      shapes.set(name, [...(shapes.get(name) ?? []), { cores: Number(slots), gpus: 0, memoryMiB }]);
    }
  }
  return {
    name: 'sge',
    version,
    answers: true,
    // A job that names no queue gets any that will have it.
    queues: [...shapes].map(([name, own]): Queue => ({ name, isDefault: false, shapes: gatherShapes(own) })),
    ...(maxArraySize > 0 ? { maxArraySize } : {}),
  };
}

function describeEnvironments(environments: readonly ParallelEnvironment[]): Finding {
  const topic = 'Parallel environments';
  if (environments.length === 0) {
    const advice = 'ask the administrators for one: a job of several CPUs or nodes needs it';
    return { topic, verdict: 'warning', message: 'qconf -spl names none', advice };
  }
  const message = environments.map(({ name, rule }) => `${name} (${rule})`).join(', ');
  const fields = [...new Set(environments.flatMap(({ rule }) => fieldOf(rule) ?? []))].join(', ');
  const advice = `name them in the site, parallelEnvironments: { ${fields} }; those with a number of slots a host as one: 'mpi-{slots}'`;
  return { topic, verdict: 'ok', message, ...(fields === '' ? {} : { advice }) };
}

/** The field of a site for environments of that rule. */
function fieldOf(rule: string): string | undefined {
  if (rule === '$pe_slots') return 'oneNode';
  if (/^\d+$/.test(rule)) return 'perNode';
  return rule === '$fill_up' || rule === '$round_robin' ? 'fillUp' : undefined;
}

/** Resources whose names tell that they count GPUs. */
function describeGpus(complexes: string): Finding[] {
  const names = complexes.split('\n').flatMap((line) => /^(\S*gpu\S*)\s+\S+\s+(?:INT|RSMAP)\s/i.exec(line)?.[1] ?? []);
  if (names.length === 0) return [];
  const advice =
    "name the one that counts them in the site: resources: { gpus: { name, per: 'slot' | 'node' | 'job' } }";
  return [{ topic: 'GPUs', verdict: 'ok', message: `resources of the site: ${names.join(', ')}`, advice }];
}

/** MiB of `23.5G`. */
function mebibytes(size: string): number | undefined {
  const [, amount, unit = 'M'] = /^([\d.]+)([KMGT])?/.exec(size) ?? [];
  if (amount === undefined) return undefined;
  return Math.floor(Number(amount) * 1024 ** ('KMGT'.indexOf(unit) - 1));
}
