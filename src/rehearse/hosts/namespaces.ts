import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { quoteShellWord } from '../../targets/quoting.js';
import { addressOf, type Hosts, otherNames } from './hosts.js';

/** Prefix that starts a program in namespaces of its own, in which it may make networks and mounts; it ends with all its descendants. */
export const outerWords: readonly string[] = [
  ...['unshare', '--user', '--map-current-user', '--keep-caps'],
  ...['--net', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child', '--mount-proc'],
];

/** The rights that entering a namespace needs; applications get no other ones. */
const rights = '-all,+sys_admin,+sys_chroot,+sys_ptrace';

/** Settings of hosts in namespaces. */
export interface NamespaceSettings {
  readonly names: readonly string[];
  /** Folder of the rehearsal's own files, which all hosts see. */
  readonly state: string;
  /** Paths below /tmp that all hosts see. */
  readonly shared: readonly string[];
  /** Names of the network interfaces that each host has, each to a network of its own; the first has the address of the host's name. */
  readonly interfaces: readonly string[];
}

/** Hosts in namespaces: each has a host name, a loopback, a network interface, /tmp and /dev/shm of its own. */
export class NamespaceHosts implements Hosts {
  readonly says = 'each with its own host name, loopback and /tmp';
  readonly #holders = new Map<string, Promise<ChildProcess>>();
  readonly #pids = new Map<string, number>();
  readonly #withFewerRights: readonly string[];

  constructor(private readonly settings: NamespaceSettings) {
    const { names, state, interfaces } = settings;
    const lines = interfaces.flatMap((own, network) =>
      names.map((name, place) => {
        // The first network is that of the hosts' own names.
        const called = network === 0 ? [name, ...otherNames(name)] : [`${name}-${own}`];
        return `${addressOf(place, network)} ${called.join(' ')}`;
      }),
    );
    mkdirSync(join(state, 'tmp'));
    writeFileSync(join(state, 'hosts'), ['127.0.0.1 localhost', '10.97.0.1 login', ...lines, ''].join('\n'));
    run('hostname', 'login');
    run('ip', 'link', 'set', 'lo', 'up');
    run('ip', 'link', 'add', 'br0', 'type', 'bridge');
    for (const network of interfaces.keys()) run('ip', 'address', 'add', `10.${97 + network}.0.1/16`, 'dev', 'br0');
    run('ip', 'link', 'set', 'br0', 'up');
    run('mount', '--bind', join(state, 'hosts'), '/etc/hosts');
    this.#withFewerRights = isAble('setpriv', '--version')
      ? ['setpriv', `--inh-caps=${rights}`, `--ambient-caps=${rights}`]
      : [];
  }

  async ready(host: string): Promise<void> {
    if (host === 'login') return;
    const there = this.#holders.get(host) ?? this.#make(host);
    this.#holders.set(host, there);
    await there;
  }

  enter(host: string): readonly string[] {
    if (host === 'login') return this.#withFewerRights;
    const pid = this.#pids.get(host);
    if (pid === undefined) throw new Error(`${host} is not ready`);
    return [...this.#withFewerRights, 'nsenter', '--target', String(pid), '--net', '--mount', '--uts', '--ipc', '--'];
  }

  environment(): Readonly<Record<string, string>> {
    return {};
  }

  cut(host: string): void {
    const holder = this.#pids.get(host);
    if (holder === undefined) return;
    const place = this.settings.names.indexOf(host);
    for (const [number] of this.settings.interfaces.entries()) run('ip', 'link', 'set', `v${place}-${number}`, 'down');
    const network = readlinkSync(`/proc/${holder}/ns/net`);
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name) || Number(name) === holder) continue;
      try {
        if (readlinkSync(`/proc/${name}/ns/net`) === network) process.kill(Number(name), 'SIGKILL');
      } catch {
        // It has ended, or is not ours to look at.
      }
    }
  }

  async #make(host: string): Promise<ChildProcess> {
    const { interfaces, state } = this.settings;
    const place = this.settings.names.indexOf(host);
    const mark = join(state, `ready-${host}`);
    const script = [
      'set -eu',
      `hostname ${quoteShellWord(host)}`,
      'ip link set lo up',
      ...interfaces.flatMap((name, number) => [
        `until grep -q ${quoteShellWord(`${name}:`)} /proc/net/dev; do sleep 0.01; done`,
        `ip address add ${addressOf(place, number)}/16 dev ${quoteShellWord(name)}`,
        `ip link set ${quoteShellWord(name)} up`,
      ]),
      ...this.#ownTmp(),
      'mount -t tmpfs -o mode=1777 shm /dev/shm',
      `: >${quoteShellWord(mark)}`,
      `exec ${this.#withFewerRights.map(quoteShellWord).join(' ')} sleep infinity`,
    ];
    const words = ['--net', '--mount', '--uts', '--ipc', 'bash', '-c', script.join('\n')];
    const holder = spawn('unshare', words, { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: systemPath } });
    let said = '';
    holder.stderr.on('data', (piece: Buffer) => {
      said += piece.toString();
    });
    const failure = new Promise<never>((_, reject) => {
      holder.on('exit', () => reject(new Error(`node ${host} did not start: ${said}`)));
    });
    failure.catch(() => undefined);
    if (holder.pid === undefined) throw new Error(`node ${host} did not start`);
    const outside = readlinkSync('/proc/self/ns/net');
    await until(() => networkOf(holder.pid) !== outside, failure);
    for (const [number, name] of interfaces.entries()) {
      run(
        'ip',
        'link',
        'add',
        `v${place}-${number}`,
        'type',
        'veth',
        'peer',
        'name',
        name,
        'netns',
        String(holder.pid),
      );
      run('ip', 'link', 'set', `v${place}-${number}`, 'master', 'br0', 'up');
    }
    await until(() => existsSync(mark), failure);
    this.#pids.set(host, holder.pid);
    return holder;
  }

  /** Lines that give a host a /tmp of its own, with those folders in it that all hosts share. */
  #ownTmp(): string[] {
    const { state } = this.settings;
    const inside = this.settings.shared.filter((path) => path.startsWith('/tmp/') && existsSync(path));
    const outermost = inside.filter((path) => !inside.some((other) => other !== path && path.startsWith(`${other}/`)));
    const fresh = quoteShellWord(join(state, 'tmp'));
    return [
      `mount -t tmpfs -o mode=1777 tmp ${fresh}`,
      ...outermost.flatMap((path) => {
        const at = quoteShellWord(join(state, path));
        return statSync(path).isDirectory()
          ? [`mkdir -p ${at}`, `mount --rbind ${quoteShellWord(path)} ${at}`]
          : [
              `mkdir -p ${quoteShellWord(join(state, dirname(path)))}`,
              `: >${at}`,
              `mount --bind ${quoteShellWord(path)} ${at}`,
            ];
      }),
      `mount --rbind ${fresh} /tmp`,
    ];
  }
}

const systemPath = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`;

function run(program: string, ...words: readonly string[]): void {
  execFileSync(program, words, { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: systemPath } });
}

function isAble(program: string, ...words: readonly string[]): boolean {
  try {
    run(program, ...words);
    return true;
  } catch {
    return false;
  }
}

function networkOf(pid: number | undefined): string {
  return readlinkSync(`/proc/${pid}/ns/net`);
}

/** Waits for a condition that something else makes true within moments. */
async function until(holds: () => boolean, failure: Promise<never>): Promise<void> {
  while (!holds()) await Promise.race([failure, new Promise((resolve) => setTimeout(resolve, 3))]);
}

/** True if this machine gives its users such namespaces, with the right to make networks and mounts in them. It is tried once. */
export function canMakeHosts(): boolean {
  triedHosts ??= tryHosts();
  return triedHosts;
}

let triedHosts: boolean | undefined;

function tryHosts(): boolean {
  const [program = '', ...words] = outerWords;
  const trial =
    'ip link add br0 type bridge && ip link add v0 type veth peer name v1 && mount -t tmpfs t /mnt && hostname t';
  return isAble(program, ...words, 'sh', '-c', trial);
}

/** Variables of a process, by its environment as the kernel shows it; `undefined` where it cannot be read. */
export function environmentOf(pid: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return undefined;
  }
}
