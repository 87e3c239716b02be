import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { Plan } from '../../src/ir/index.js';
import type { JobEnvironment } from '../../src/runtime/job/job-environment.js';
import { joinSupervisor } from '../../src/runtime/store/join-supervisor.js';
import { layOut } from '../../src/runtime/supervisor/cluster-layout.js';
import { LinkListener } from '../../src/runtime/supervisor/link-listener.js';
import { formatLinkPlace, parseLinkPlace } from '../../src/runtime/supervisor/link-messages.js';
import type { NodeLink } from '../../src/runtime/supervisor/node-link.js';

const place = (node: string, port: number) => ({ node, host: '10.0.0.1', port, busPort: port + 100 });

test('a node that is cut off has ended before its replicas take over', async () => {
  const linkTimeoutSeconds = 1.2;
  const listener = await LinkListener.open({ linkTimeoutSeconds } as JobEnvironment, {} as Plan);
  onTestFinished(() => listener.close());
  let joined: (node: NodeLink) => void = () => undefined;
  const link = new Promise<NodeLink>((resolve) => {
    joined = resolve;
  });
  const way = parseLinkPlace(listener.expect('id', {}, joined));
  if (way === undefined) throw new Error('the link has no place');

  // A network between them, which can be cut: nothing goes through, and nobody is told.
  const ends: Socket[] = [];
  const network = createServer((near) => {
    const far = connect(way);
    ends.push(near, far);
    near.pipe(far);
    far.pipe(near);
    for (const end of [near, far]) end.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => network.listen({ host: '127.0.0.1', port: 0 }, resolve));
  onTestFinished(() => {
    for (const end of ends) end.destroy();
    network.close();
  });
  const address = network.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const holder = await joinSupervisor(formatLinkPlace({ ...way, host: '127.0.0.1', port }), 'id', {});
  const node = await link;
  const order: string[] = [];
  const lost = new Promise<void>((resolve) => {
    node.listen(
      () => undefined,
      () => resolve(void order.push('it counts as lost')),
    );
  });
  void holder.ended.then(() => order.push('it has ended'));
  const shards = layOut([place('a', 1), place('b', 2)], [place('b', 3), place('a', 4)]);
  node.tell({ cluster: { shards, own: [0, 3] } });
  await holder.arrange([], 2);
  for (const end of ends) end.unpipe().pause();
  await lost;
  expect(order).toEqual(['it has ended', 'it counts as lost']);
});
