import { z } from 'zod'
import type { MinerStatus } from '../api/minerStatus.ts'
import { zAddress } from './schemas.ts'

/** What `pause`, `resume` and `drain` print. */
export const zMinerPhase = z.object({
  node: zAddress,
  phase: z.enum(['running', 'paused', 'draining', 'stopped']),
  runningTasks: z.int(),
})
export type MinerPhase = z.output<typeof zMinerPhase>

/** Phase of a miner with the number of tasks that it has under way. */
export function toMinerPhase({ node, phase, coordinators }: MinerStatus): MinerPhase {
  return { node, phase, runningTasks: coordinators.reduce((sum, { tasks }) => sum + tasks.length, 0) }
}

/** @example formatTasks(1) // '1 running task' */
export function formatTasks(count: number): string {
  return `${count === 0 ? 'no' : count} running task${count === 1 ? '' : 's'}`
}
