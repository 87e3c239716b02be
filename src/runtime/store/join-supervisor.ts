import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { WorkflowError } from '../../diagnostics/index.js';
import { thisHost } from '../job/job-environment.js';
import type { ClusterChange, ClusterPart } from '../supervisor/cluster-layout.js';
import { readJsonLines, writeJsonLine } from '../supervisor/json-lines.js';
import {
  Challenge,
  type FromStore,
  type LinkPlace,
  parseLinkPlace,
  proofOf,
  sameProof,
  ToStore,
  Welcome,
} from '../supervisor/link-messages.js';
import { mostSilentBeatsWithReplicas, Pulse } from '../supervisor/pulse.js';
import type { Holder } from './holder.js';

/** Milliseconds in which the supervisor has to take the link. */
const joinMs = 30_000;

/**
 * The link to the supervisor, which has proved itself, and to which this process has. Variables that it tells, and that the launcher has not
 * handed on, are added to the environment.
 *
 * @throws WorkflowError RUN1022
 */
export async function joinSupervisor(text: string, id: string, env: NodeJS.ProcessEnv): Promise<Holder> {
  const place = parseLinkPlace(text);
  if (place === undefined) {
    throw new WorkflowError({ code: 'RUN1014', message: `SIMWRIGHT_STORE_LINK is malformed; the supervisor sets it` });
  }
  const socket = connect({ host: place.host, port: place.port, allowHalfOpen: true, noDelay: true });
  const link = new SupervisorLink(socket);
  try {
    const { environment, beatMs } = await link.greet(place.secret, id);
    for (const [name, value] of Object.entries(environment)) env[name] ??= value;
    return link.holder(beatMs);
  } catch (error) {
    socket.destroy();
    throw unreachable(place, error instanceof Error ? error.message : String(error));
  }
}

class SupervisorLink {
  readonly #socket: Socket;
  readonly #closed: Promise<void>;
  #problem = 'it closed the connection before it had proved itself';
  #onMessage: (value: unknown) => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', (error) => {
      this.#problem = error.message;
    });
    this.#closed = new Promise((resolve) => {
      socket.once('end', resolve);
      socket.once('close', () => resolve());
    });
    readJsonLines(socket, (value) => this.#onMessage(value));
  }

  /** Both ends prove themselves. Rejects with the reason why not. */
  greet(secret: string, id: string): Promise<Welcome['welcome']> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`it did not answer within ${joinMs / 1000} s`)), joinMs);
      void this.#closed.then(() => reject(new Error(this.#problem)));
      const back = randomBytes(32).toString('hex');
      this.#onMessage = (value) => {
        const challenge = Challenge.safeParse(value);
        const welcome = Welcome.safeParse(value);
        if (challenge.success) {
          const proof = proofOf(secret, 'store', challenge.data.challenge);
          writeJsonLine(this.#socket, { hello: { id, host: thisHost(), proof, challenge: back } });
        } else if (welcome.success && sameProof(welcome.data.welcome.proof, proofOf(secret, 'supervisor', back))) {
          clearTimeout(timer);
          resolve(welcome.data.welcome);
        } else {
          reject(new Error('it is another'));
        }
      };
    });
  }

  holder(beatMs: number): Holder {
    const socket = this.#socket;
    const send = (message: FromStore) => {
      if (!socket.destroyed) writeJsonLine(socket, message);
    };
    let arranged: (part: ClusterPart) => void = () => undefined;
    const part = new Promise<ClusterPart>((resolve) => {
      arranged = resolve;
    });
    // Messages that come before anybody listens wait.
    const unheard: ClusterChange[] = [];
    let hear: (change: ClusterChange) => void = (change) => unheard.push(change);
    let exists: (key: string) => Promise<boolean> = () => Promise.resolve(false);
    const pulse = new Pulse(
      beatMs,
      () => send({ beat: true }),
      () => socket.destroy(),
    );
    this.#onMessage = (value) => {
      pulse.heard();
      const message = ToStore.safeParse(value).data;
      if (message !== undefined && 'cluster' in message) {
        const hasReplicas = message.cluster.shards.some(({ follows }) => follows !== undefined);
        if (hasReplicas) pulse.waitFor(mostSilentBeatsWithReplicas);
        arranged(message.cluster);
      }
      if (message !== undefined && 'change' in message) hear(message.change);
      if (message === undefined || !('question' in message)) return;
      const { question, key } = message;
      if (key === undefined) return send({ answer: question });
      void exists(key)
        .catch(() => false)
        .then((found) => send({ answer: question, exists: found }));
    };
    void this.#closed.then(() => pulse.stop());
    return {
      ended: this.#closed,
      say: (word) => send({ word }),
      answer: (how) => {
        exists = how;
      },
      arrange: (places) => {
        send({ word: { offers: [...places] } });
        return part;
      },
      hear: (how) => {
        hear = how;
        for (const change of unheard.splice(0)) how(change);
      },
      close: async () => {
        pulse.stop();
        if (socket.destroyed) return;
        await new Promise<void>((resolve) => socket.end(() => resolve()));
      },
    };
  }
}

function unreachable({ host, port }: LinkPlace, why: string): WorkflowError {
  return new WorkflowError({
    code: 'RUN1022',
    message: `${thisHost()} cannot reach the supervisor of this job at ${host}:${port}: ${why}`,
    hint: 'stores on other nodes hold a connection to the host of the script: networkInterface in the site names the network that both have',
  });
}
