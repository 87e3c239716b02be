// Writes docs/plan.schema.json, the JSON Schema of plan.json: node --import tsx scripts/plan-schema.ts
import { writeFileSync } from 'node:fs';
import { planSchema } from '../src/ir/index.js';

writeFileSync(new URL('../docs/plan.schema.json', import.meta.url), planSchema());
