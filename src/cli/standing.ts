import { bondThresholdWei, type NodeRecord } from '../domain/node.ts'
import { formatCai, formatWhen } from './format.ts'

/**
 * Why a registered node is not active and what ends it, one line for each reason, in the order in which they have to go; empty
 * while it is active.
 */
export function describeStanding(
  node: Pick<NodeRecord, 'role' | 'active' | 'away' | 'suspended' | 'jailedUntil' | 'bondWei'>,
  nowSeconds: number,
  program: string,
): string[] {
  if (node.role === 'none' || node.active) return []
  const isJailed = node.jailedUntil > nowSeconds
  const thresholdWei = bondThresholdWei[node.role]
  return [
    ...(node.bondWei <= thresholdWei ? [`needs more than ${formatCai(thresholdWei)} of bond: \`${program} bond <amount>\``] : []),
    ...(node.suspended ? [`suspended until it reveals its draw secret: \`${program} coordinator serve\` does at its start`] : []),
    ...(isJailed ? [`jailed until ${formatWhen(node.jailedUntil, nowSeconds)}; from then on \`${program} node rejoin\``] : []),
    ...(node.away && !isJailed ? [`away: \`${program} node rejoin\` makes it active again`] : []),
  ]
}
