/** The oldest Node.js that runs Simwright, on login and compute nodes. */
export const minimumNode = [20, 19] as const;
