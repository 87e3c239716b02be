/** @typedef {Pick<import('simwright/client').Client, 'getTensor'>} Reader */

/**
 * Reads what a member left in the store; the client's data source must be that member.
 * @param {Reader} client @param {string} name of the member
 * @param {(tensor: string) => string} [key] from a tensor's name to the name to ask for
 * @returns {Promise<import('./judge.mjs').MemberResult>}
 */
export async function readMemberResult(client, name, key = (tensor) => tensor) {
  /** @template {'FLOAT' | 'DOUBLE' | 'INT32'} D @param {string} tensor @param {D} dtype */
  const values = async (tensor, dtype) => {
    try {
      return (await client.getTensor(key(tensor), dtype)).data;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`tensor '${tensor}' of member '${name}' cannot be read: ${reason}`, { cause: error });
    }
  };
  const [reynolds, lid, cells] = await values('parameters', 'DOUBLE');
  const [steps] = await values('steps', 'INT32');
  return {
    name,
    reynolds,
    lid,
    cells,
    steps,
    velocity: await values('velocity', 'FLOAT'),
    profileU: await values('profile_u', 'DOUBLE'),
    profileV: await values('profile_v', 'DOUBLE'),
    surrogate: await values('surrogate_out', 'FLOAT'),
  };
}
