declare const __SIMWRIGHT_VERSION__: string | undefined;

/** Version of the package that this code was bundled from; `source` when it was not. */
export const version: string = typeof __SIMWRIGHT_VERSION__ === 'string' ? __SIMWRIGHT_VERSION__ : 'source';
