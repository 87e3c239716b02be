import { elementCount } from '../../../ml/dtypes.js';
import type { TensorValue } from '../ai/values.js';
import { LongReply, type Reply } from '../resp/reply.js';
import { bytesReply } from './bytes-reply.js';
import { type AiCommand, CommandError } from './command.js';
import { tensorValues } from './tensor-values.js';
import { arityError, keyword, latin1 } from './words.js';

const dtypeLabel = Buffer.from('dtype');
const shapeLabel = Buffer.from('shape');
const blobLabel = Buffer.from('blob');
const valuesLabel = Buffer.from('values');

/** More of them are sent bit by bit. */
const fewElements = 1024;

interface Asked {
  readonly meta: boolean;
  readonly blob: boolean;
  readonly values: boolean;
}

/** `AI.TENSORGET key [META] [BLOB | VALUES]` */
export const tensorGet: AiCommand = {
  name: 'ai.tensorget',
  arity: -2,
  flags: ['readonly'],
  keys: [1, 1, 1],
  run({ tensors }, words) {
    if (words.length > 4) throw arityError('ai.tensorget');
    const tensor = tensors.read(latin1(words[1]), 'tensor');
    if (tensor === undefined) throw new CommandError('ERR tensor key is empty or in a different shard');
    const asked = parse(words);
    if (!asked.blob && !asked.values) return answer(tensor, asked, undefined);
    return tensor.bytes.read((bytes) => answer(tensor, asked, bytes));
  },
};

/** Checks what is asked for. @throws CommandError with RedisAI's texts */
export function checkTensorGet(words: readonly Buffer[]): void {
  parse(words);
}

function parse(words: readonly Buffer[]): Asked {
  let meta = false;
  let blob = false;
  let values = false;
  for (let at = 2; at < words.length; at += 1) {
    const word = keyword(words[at]);
    if (word === 'META') meta = true;
    else if (word === 'BLOB') blob = true;
    else if (word === 'VALUES') values = true;
    else throw new CommandError('ERR unsupported data format');
  }
  if (blob && values) throw new CommandError('ERR both BLOB and VALUES specified');
  return words.length === 2 ? { meta: true, blob: true, values: false } : { meta, blob, values };
}

/** Many elements are sent bit by bit, with their bytes kept in place meanwhile. */
function valuesReply({ dtype, shape, bytes: source }: TensorValue, bytes: Buffer): Reply {
  const elements = elementCount(shape);
  if (elements <= fewElements) return [...tensorValues(dtype, bytes)];
  return new LongReply(elements, tensorValues(dtype, bytes), 0, source.pin());
}

function answer(tensor: TensorValue, asked: Asked, bytes: Buffer | undefined): Reply {
  const reply: Reply[] = asked.meta ? [dtypeLabel, tensor.dtype, shapeLabel, tensor.shape] : [];
  if (bytes === undefined) return reply;
  const content = asked.blob ? bytesReply(tensor.bytes, bytes) : valuesReply(tensor, bytes);
  if (!asked.meta) return content;
  reply.push(asked.blob ? blobLabel : valuesLabel, content);
  return reply;
}
