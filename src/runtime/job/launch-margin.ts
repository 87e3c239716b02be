/**
 * Milliseconds that a launch may need beyond what its applications get to end: they may be told through the scheduler, which takes its
 * time to answer. Whoever waits for launches waits for so long: stores must stay while applications still save to them.
 */
export const launchMarginMs = 8000;
