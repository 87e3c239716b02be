import { expect, test } from 'vitest';
import { LendableBytes, ownBytes } from '../../../../src/runtime/orchestrator/bytes/lendable-bytes.js';

const large = 5 * 1024 * 1024;

function bytesOf(length: number, fill: number): LendableBytes {
  return new LendableBytes(Buffer.alloc(length, fill));
}

test('small bytes are copied and stay', async () => {
  const bytes = new LendableBytes(ownBytes(Buffer.from('abc')));
  const loan = await bytes.borrow();
  expect(loan.missed).toBe(false);
  expect(Buffer.from(loan.buffer).toString()).toBe('abc');
  expect(bytes.read(String)).toBe('abc');
});

test('large bytes are lent; readers and borrowers wait for them', async () => {
  const bytes = bytesOf(large, 9);
  const loan = await bytes.borrow();
  expect(loan.missed).toBe(true);
  const order: string[] = [];
  const reader = Promise.resolve(bytes.read((back) => order.push(`read ${back[0]}`)));
  const borrower = bytes.borrow().then((second) => {
    order.push('lent again');
    second.giveBack(second.buffer);
  });
  await Promise.resolve();
  expect(order).toEqual([]);
  loan.giveBack(loan.buffer);
  await Promise.all([reader, borrower]);
  expect(order).toEqual(['read 9', 'lent again']);
  expect(bytes.read((back) => back.length)).toBe(large);
});

test('pinned bytes are copied, since a socket is writing them', async () => {
  const bytes = bytesOf(large, 3);
  const unpin = bytes.pin();
  const loan = await bytes.borrow();
  expect(loan.missed).toBe(false);
  expect(Buffer.from(loan.buffer).equals(Buffer.alloc(large, 3))).toBe(true);
  unpin();
  expect((await bytes.borrow()).missed).toBe(true);
});

test('of several borrowers one has the bytes at a time', async () => {
  const bytes = bytesOf(large, 9);
  let lent = 0;
  const borrow = async () => {
    const loan = await bytes.borrow();
    lent += 1;
    expect([lent, loan.buffer.byteLength]).toEqual([1, large]);
    await new Promise((resolve) => setImmediate(resolve));
    lent -= 1;
    loan.giveBack(structuredClone(loan.buffer, { transfer: [loan.buffer] }));
  };
  await Promise.all(Array.from({ length: 5 }, borrow));
  expect(bytes.read((back) => back.length)).toBe(large);
});

test('a reader that fails keeps nobody else waiting', async () => {
  const bytes = new LendableBytes(Buffer.alloc(5 * 1024 * 1024, 1));
  const loan = await bytes.borrow();
  const failing = bytes.read(() => {
    throw new Error('no');
  });
  const other = bytes.read((back) => back.length);
  loan.giveBack(loan.buffer);
  await expect(failing).rejects.toThrow('no');
  expect(await other).toBe(5 * 1024 * 1024);
});

test('bytes that are lost reject readers', async () => {
  const bytes = bytesOf(large, 1);
  const loan = await bytes.borrow();
  const reader = bytes.read((back) => back.length);
  loan.giveBack(undefined);
  await expect(reader).rejects.toThrow('lost');
  await expect(bytes.borrow()).rejects.toThrow('lost');
});

test('ownBytes copies a view and keeps what is its own', () => {
  const chunk = Buffer.from('key value');
  const view = chunk.subarray(4);
  const own = ownBytes(view);
  expect(own.toString()).toBe('value');
  expect(own.buffer.byteLength).toBe(5);
  expect(ownBytes(own)).toBe(own);
});
