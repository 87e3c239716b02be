import { beforeAll, describe, expect, test } from 'vitest';
import { ScriptError } from '../../src/torchscript/index.js';
import { frameworksPython } from '../runtime/orchestrator/support/python.js';
import { cases } from './support/cases.js';
import { type Expected, pytorchResults } from './support/pytorch.js';
import { compiledResults, numbersOf } from './support/tensors.js';
