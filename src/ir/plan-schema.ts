import * as z from 'zod';
import { Plan } from './plan.js';

/** The JSON Schema of plan.json, as text. */
export function planSchema(): string {
  const schema = z.toJSONSchema(Plan, { target: 'draft-2020-12', io: 'output', reused: 'ref' });
  return `${JSON.stringify({ title: 'plan.json of Simwright', ...schema }, null, 2)}\n`;
}
