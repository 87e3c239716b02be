export * from './authored.js';
export * from './declaration.js';
export * from './directive-text.js';
export * from './members.js';
export * from './plan.js';
export * from './site.js';
export * from './template-tags.js';
export * from './units.js';
