import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { memberDirectory, memberName } from '../../ir/index.js';
import { outputName, streams } from '../../runtime/output/index.js';
import { isEnd, StatusReader } from '../../runtime/status/index.js';
import type { FoundMember } from './find.js';

/** Output that an application has written since the last look. */
export interface Piece {
  /** Relative to the folder. */
  readonly file: string;
  readonly text: string;
  /** True for the first piece of a file, so also when the next attempt has begun a new file. */
  readonly isFirst: boolean;
}

/** Milliseconds between two looks. */
const pauseMs = 250;

/** Bytes read at a time. */
const pieceBytes = 64 * 1024;

/** Follows both outputs of a member, through all its attempts, until it has ended and nobody works on it. */
export async function* follow(dir: string, { entity, index }: FoundMember): AsyncGenerator<Piece> {
  const reader = new StatusReader(dir);
  const name = memberName(entity, index);
  const directory = memberDirectory(entity, index);
  const followed = streams.map((stream) => new FollowedFile(dir, join(directory, outputName(name, stream))));
  try {
    for (;;) {
      reader.refresh();
      const last = reader.of(entity.name).members.get(index);
      // Looked for before the files are read: what it wrote before its end is there then.
      const hasEnded = last !== undefined && isEnd(last.state) && !existsSync(join(dir, `${directory}.lock`));
      for (const file of followed) yield* file.rest();
      for (const file of followed) yield* file.next();
      if (hasEnded) return;
      await sleep(pauseMs);
    }
  } finally {
    for (const file of followed) file.close();
  }
}

/** A file that is written, and moved out of the way when the next attempt begins. */
class FollowedFile {
  readonly #path: string;
  #open: { readonly descriptor: number; readonly inode: number; at: number } | undefined;

  constructor(
    dir: string,
    readonly file: string,
  ) {
    this.#path = join(dir, file);
  }

  /** Reads what has been written to the open file since the last look. */
  *rest(): Generator<Piece> {
    const open = this.#open;
    if (open === undefined) return;
    const buffer = Buffer.alloc(pieceBytes);
    for (;;) {
      const read = readSync(open.descriptor, buffer, 0, pieceBytes, open.at);
      if (read === 0) return;
      yield { file: this.file, text: buffer.toString('utf8', 0, read), isFirst: open.at === 0 };
      open.at += read;
    }
  }

  /** Reads the file that has taken the open file's place, if there is one. */
  *next(): Generator<Piece> {
    const inode = statSync(this.#path, { throwIfNoEntry: false })?.ino;
    if (inode === undefined || inode === this.#open?.inode) return;
    // The previous attempt may have written its last output between the two looks.
    yield* this.rest();
    this.close();
    try {
      const descriptor = openSync(this.#path, 'r');
      this.#open = { descriptor, inode: fstatSync(descriptor).ino, at: 0 };
    } catch {
      // It has just been moved; the next look finds its successor.
      return;
    }
    yield* this.rest();
  }

  close(): void {
    if (this.#open !== undefined) closeSync(this.#open.descriptor);
    this.#open = undefined;
  }
}
