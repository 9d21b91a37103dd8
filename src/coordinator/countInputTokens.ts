import type { TaskContent } from '../domain/task.ts'

/** Token ids that a task's input holds: 0 of kinds that miners tokenise. */
export function countInputTokens({ input }: TaskContent): number {
  if (!('tokenIds' in input)) return 0
  return input.tokenIds.reduce<number>((sum, ids) => sum + (typeof ids === 'number' ? 1 : ids.length), 0)
}
