/** Seconds of `M`, `M:S`, `H:M:S`, `D-H`, `D-H:M` or `D-H:M:S`, in whole minutes; 0 where there is no limit, `undefined` where it is no time. */
export function readTime(text: string): number | undefined {
  if (/^(infinite|unlimited|-1)$/i.test(text)) return 0;
  const match = /^(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [days, first = 0, second, third] = match
    .slice(1)
    .map((part) => (part === undefined ? undefined : Number(part)));
  const inHours = days !== undefined || third !== undefined;
  const minutes = inHours ? (days ?? 0) * 1440 + first * 60 + (second ?? 0) : first;
  return Math.ceil((minutes * 60 + ((inHours ? third : second) ?? 0)) / 60) * 60;
}

/** MiB of `4096`, `4G`, `512K`; `undefined` where it is no size. */
export function readMemory(text: string): number | undefined {
  const [, number, unit = 'M'] = /^(\d+)([KMGT]?)B?$/i.exec(text) ?? [];
  if (number === undefined) return undefined;
  const factor = { K: 1 / 1024, M: 1, G: 1024, T: 1024 * 1024 }[unit.toUpperCase()] ?? 1;
  return Math.ceil(Number(number) * factor);
}

/** Nodes at least of `4` or `2-4`; `undefined` where it is no number of nodes. */
export function readNodes(text: string): { readonly least: number; readonly most: number } | undefined {
  const [, least, most = least] = /^(\d+[km]?)(?:-(\d+[km]?))?$/i.exec(text) ?? [];
  if (least === undefined || most === undefined) return undefined;
  const numbers = { least: Number.parseInt(least, 10), most: Number.parseInt(most, 10) };
  return numbers.least === 0 || numbers.most < numbers.least ? undefined : numbers;
}

/** Whole number from 1; `undefined` for anything else. */
export function readCount(text: string): number | undefined {
  return /^[1-9]\d*$/.test(text) ? Number(text) : undefined;
}

/** GPUs of `2`, `a100:2`, `a100:2,v100:1` or, of `--gres`, `gpu:2`, `gpu:a100:2`, `gpu`; `undefined` where it cannot be read. */
export function readGpus(text: string, isGres: boolean): number | undefined {
  let sum = 0;
  for (const part of text.split(',')) {
    const words = part.replace(/\(.*\)$/, '').split(':');
    if (isGres && words.shift() !== 'gpu') {
      if (/^none$/i.test(part)) continue;
      return undefined;
    }
    const last = words.at(-1) ?? '1';
    const count = /^\d+$/.test(last) ? Number(last) : isGres || words.length === 1 ? 1 : undefined;
    if (count === undefined || (!isGres && words.length === 1 && !/^\d+$/.test(last))) return undefined;
    sum += count;
  }
  return sum;
}

/** Hosts of `node[1-3,7],login`. */
export function expandHosts(list: string): string[] {
  const parts = list.match(/(?:[^,[]|\[[^\]]*\])+/g) ?? [];
  return parts.flatMap((part) => {
    const [, before = '', ranges, after = ''] = /^([^[]*)\[([^\]]*)\](.*)$/.exec(part) ?? [];
    if (ranges === undefined) return [part];
    return ranges.split(',').flatMap((range) => {
      const [first = '', last = first] = range.split('-');
      return Array.from({ length: Number(last) - Number(first) + 1 }, (_, one) =>
        expandHosts(`${before}${String(Number(first) + one).padStart(first.length, '0')}${after}`),
      ).flat();
    });
  });
}

/** Hosts as Slurm lists them: `node[1-3]`, `node1`. */
export function foldHosts(hosts: readonly string[]): string {
  const groups: { prefix: string; width: number; ranges: [number, number][] }[] = [];
  for (const host of hosts) {
    const [, prefix = host, digits] = /^(.*?)(\d+)$/.exec(host) ?? [];
    const number = Number(digits ?? -1);
    const width = digits?.startsWith('0') ? digits.length : 0;
    const group = groups.find((one) => one.prefix === prefix && one.width === width && number >= 0);
    const last = group?.ranges.at(-1);
    if (group === undefined) groups.push({ prefix, width, ranges: [[number, number]] });
    else if (last !== undefined && last[1] === number - 1) last[1] = number;
    else group.ranges.push([number, number]);
  }
  const text = (number: number, width: number) => String(number).padStart(width, '0');
  return groups
    .map(({ prefix, width, ranges }) => {
      const shown = ranges.map(([first, last]) =>
        first === last ? text(first, width) : `${text(first, width)}-${text(last, width)}`,
      );
      if (ranges[0]?.[0] === -1) return prefix;
      return shown.length === 1 && !shown[0]?.includes('-') ? `${prefix}${shown[0]}` : `${prefix}[${shown.join(',')}]`;
    })
    .join(',');
}

/** `2(x3),1` from the numbers of nodes in their order. */
export function foldCounts(counts: readonly number[]): string {
  const runs: [count: number, times: number][] = [];
  for (const count of counts) {
    const last = runs.at(-1);
    if (last?.[0] === count) last[1]++;
    else runs.push([count, 1]);
  }
  return runs.map(([count, times]) => (times === 1 ? String(count) : `${count}(x${times})`)).join(',');
}

/** `D-HH:MM:SS` as squeue writes it: `1:05`, `02:00:00`, `1-00:00:00`. */
export function clock(seconds: number, isLimit = false): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, '0');
  const [days, hours] = [Math.floor(whole / 86400), Math.floor((whole % 86400) / 3600)];
  const [minutes, rest] = [Math.floor((whole % 3600) / 60), whole % 60];
  if (days > 0) return `${days}-${two(hours)}:${two(minutes)}:${two(rest)}`;
  if (hours > 0 || isLimit) return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
  return `${minutes}:${two(rest)}`;
}
