import {
  type Ask,
  describeScheduler,
  gatherShapes,
  noAnswer,
  type Probed,
  type Queue,
  type SchedulerFacts,
} from '../probe.js';

/** Asks `lsid`, `bparams`, `bqueues`, `lshosts` and `bhosts`. */
export async function probeLsf(ask: Ask): Promise<Probed<SchedulerFacts>> {
  const [id, allParameters, fewParameters, queues, details, hosts, gpus, batchHosts] = await Promise.all([
    ask('lsid'),
    ask('bparams', '-a'),
    // Descendants of OpenLava know no -a.
    ask('bparams'),
    ask('bqueues', '-w'),
    ask('bqueues', '-l'),
    ask('lshosts', '-w'),
    ask('lshosts', '-gpu'),
    ask('bhosts', '-w'),
  ]);
  if (!id.ok) return noAnswer('lsf', undefined, id.why);
  const texts = {
    id: id.stdout,
    parameters: `${allParameters.stdout}\n${fewParameters.stdout}`,
    details: details.stdout,
    queues: queues.stdout,
    hosts: hosts.stdout,
  };
  const facts = parseLsf({ ...texts, gpus: gpus.ok ? gpus.stdout : '', batchHosts: batchHosts.stdout });
  return { facts, findings: describeScheduler(facts) };
}

/** Output of each command. */
export interface LsfTexts {
  readonly id: string;
  readonly parameters: string;
  readonly queues: string;
  /** A block for each queue: `QUEUE: name`, then its facts. */
  readonly details: string;
  readonly hosts: string;
  readonly gpus: string;
  readonly batchHosts: string;
}

/** The texts as facts. Hosts that take no jobs (the servers, login nodes) do not count where `bhosts` tells. */
export function parseLsf({ id, parameters, queues, details, hosts, gpus, batchHosts }: LsfTexts): SchedulerFacts {
  const version = /^(?:IBM Spectrum LSF|Platform LSF|\w+).*?(\d+(?:\.\d+)+)/m.exec(id)?.[1];
  const cluster = /My cluster name is (\S+)/.exec(id)?.[1];
  const maxArraySize = Number(/MAX_JOB_ARRAY_SIZE\s*=\s*(\d+)/.exec(parameters)?.[1]);
  const defaults = /^\s*(?:Default Queues:|DEFAULT_QUEUE\s*=)\s*(.*)$/m.exec(parameters)?.[1]?.split(/\s+/) ?? [];
  const shown = details.split(/^(?=QUEUE:)/m).find((text) => /this is the default queue/i.test(text));
  const defaultQueue = /^QUEUE:\s*(\S+)/.exec(shown ?? '')?.[1] ?? defaults[0];
  const slots = new Map(table(batchHosts).map((row) => [row.get('HOST_NAME') ?? '', Number(row.get('MAX'))]));
  const gpuRows = table(gpus);
  let current = '';
  const gpuCounts = new Map<string, number>();
  for (const row of gpuRows) {
    // Further GPUs of a host come without its name: their number is in the first column.
    const first = row.get('HOST_NAME') ?? '';
    if (!/^\d+$/.test(first)) current = first;
    gpuCounts.set(current, (gpuCounts.get(current) ?? 0) + 1);
  }
  const shapes = gatherShapes(
    table(hosts).flatMap((row) => {
      const name = row.get('HOST_NAME') ?? '';
      const cores = slots.size > 0 ? slots.get(name) : Number(row.get('ncpus'));
      if (cores === undefined || !(cores > 0)) return [];
      return { cores, gpus: gpuCounts.get(name) ?? 0, memoryMiB: mebibytes(row.get('maxmem') ?? '') };
    }),
  );
  return {
    name: 'lsf',
    version,
    answers: true,
    ...(cluster === undefined ? {} : { cluster }),
    queues: table(queues).map((row): Queue => {
      const name = row.get('QUEUE_NAME') ?? '';
      return { name, isDefault: name === defaultQueue, shapes };
    }),
    ...(maxArraySize > 0 ? { maxArraySize } : {}),
  };
}

/** Rows of a table with headings, by heading. */
function table(text: string): Map<string, string>[] {
  const [head = '', ...rows] = text.split('\n').filter((line) => line.trim() !== '');
  const names = head.trim().split(/\s+/);
  return rows.map((row) => {
    const cells = row.trim().split(/\s+/);
    return new Map(names.map((name, column) => [name, cells[column] ?? '']));
  });
}

/** MiB of `251.4G`; `-` is not known. */
function mebibytes(size: string): number | undefined {
  const [, amount, unit = 'M'] = /^([\d.]+)([KMGT])?/.exec(size) ?? [];
  if (amount === undefined) return undefined;
  return Math.floor(Number(amount) * 1024 ** ('KMGT'.indexOf(unit) - 1));
}
