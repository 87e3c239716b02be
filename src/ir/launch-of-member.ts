import { assignmentOf } from './members.js';
import type { Entity, Launch, MemberSize } from './plan.js';

/** The launch line of a member: the only one, or that of the member added by hand. */
export function lineOfMember({ launch: { lines }, members }: Pick<Entity, 'launch' | 'members'>, index: number) {
  return lines[lines.length === 1 ? 0 : assignmentOf(members, index)] as Launch['lines'][number];
}

/** Resources of a member. */
export function sizeOfMember(entity: Pick<Entity, 'launch' | 'members' | 'size'>, index: number): MemberSize {
  return lineOfMember(entity, index).size ?? entity.size;
}
