/** Variable in which a store's process that a launcher has started finds its supervisor and the secret of its start. */
export const storeLinkVariable = 'SIMWRIGHT_STORE_LINK';
