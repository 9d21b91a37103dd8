import type { Status } from './accountStatus.ts'
import { viewEarnings } from './earnings.ts'
import { viewClaims } from './escrow.ts'
import { formatCai, formatCaiShort, formatShare, formatShort, formatTime, formatWhen } from './format.ts'
import type { Output } from './output.ts'
import { viewReleases } from './releases.ts'
import { describeStanding } from './standing.ts'

/** A status for people. `now`: unix seconds of the chain. */
export function viewStatus(value: Status, screen: Output, now: number): void {
  screen.line(`${screen.style('bold', value.account)} on ${value.network}, block ${value.blockNumber}`)
  screen.line()
  viewBuckets(value, screen)
  viewVotes(value, screen)
  viewReleases(value.releases, value.account, screen, now)
  viewNode(value, screen, now)
  viewOwed(value, screen, now)
  viewDisputes(value, screen, now)
  viewSlashes(value, screen)
  if (value.earnings.length === 0) return
  screen.line()
  viewEarnings(value.earnings, 3, screen)
}

function viewBuckets(value: Status, screen: Output): void {
  const { escrow, credits } = value
  const thawingWei = value.thaws.reduce((sum, { released, amountWei }) => sum + (released ? 0n : amountWei), 0n)
  const votesWei = value.votes.reduce((sum, { amountWei }) => sum + amountWei, 0n)
  const courtWei = credits.cuts.reduce((sum, { amountWei }) => sum + amountWei, credits.creditWei)
  const dueWei = value.claims.due.reduce((sum, { worthWei }) => sum + worthWei, 0n)
  const rows: [string, bigint, string][] = [
    ['wallet', value.walletWei, 'outside the contracts'],
    ['free', value.freeWei, 'no weight, no risk'],
    ['bond', value.bondWei, "the own node's, at risk"],
    ['votes', votesWei, 'for nodes, at risk'],
    ['thawing', thawingWei, 'on its way out, still at risk'],
  ]
  if (value.node !== null) rows.push(['rewards', value.rewardsWei, 'earned by the own node, not yet claimed'])
  if (escrow !== null) rows.push(['escrow', escrow.escrowWei, `for vouchers; lines of ${formatCaiShort(escrow.openWei)} are open`])
  if (dueWei > 0n) rows.push(['claims', dueWei, "on coordinators' bonds, for vouchers"])
  if (courtWei > 0n) rows.push(['court', courtWei, 'pay, returned bonds, parts of slashes'])
  rows.push(['withdrawable', value.withdrawableWei, 'free and released'])
  screen.table({
    columns: [{ title: 'bucket' }, { title: 'amount', align: 'right' }, { title: 'what it is', shrink: true }],
    rows: rows.map(([name, wei, text]) => [name, formatCaiShort(wei), text]),
  })
}

function viewVotes({ votes }: Status, screen: Output): void {
  if (votes.length === 0) return
  screen.line()
  screen.table({
    columns: [{ title: 'votes for' }, { title: 'name', shrink: true }, { title: 'amount', align: 'right' }, { title: 'node' }],
    rows: votes.map(({ node, name, amountWei, active }) => [formatShort(node), name ?? '', formatCaiShort(amountWei), active ? 'active' : 'inactive']),
  })
}

function viewNode({ node, totalWeightWei, convictions }: Status, screen: Output, now: number): void {
  if (node === null || node.role === 'none') return
  screen.line()
  screen.line(
    `${node.role} ${screen.style('bold', node.profile?.name ?? '')}, ${node.active ? screen.style('green', 'active') : screen.style('yellow', 'inactive')}`,
  )
  for (const line of describeStanding(node, now, screen.program)) screen.line(`  ${line}`)
  screen.line(`  weight ${formatCai(node.weightWei)}, ${formatShare(node.weightWei, totalWeightWei ?? 0n)} of all active ${node.role}s`)
  screen.line(`  bond ${formatCai(node.bondWei)}, votes ${formatCai(node.votesWei)}, operator ${formatShort(node.operator)}`)
  if (convictions !== null && convictions.step > 0)
    screen.line(`  convicted ${convictions.step} ${convictions.step === 1 ? 'time' : 'times'}, last ${formatTime(convictions.stepAt)}`)
  if (convictions !== null && convictions.openDisputes > 0) {
    screen.line(`  open disputes could take ${formatCai(convictions.frozenWei)}: that much of the bond cannot leave meanwhile`)
  }
}

function viewOwed({ claims }: Status, screen: Output, now: number): void {
  if (claims.owed.length === 0) return
  screen.line()
  screen.line(screen.style('bold', 'claims on the own bond'))
  viewClaims(claims.owed, screen, now)
}

function viewDisputes({ disputes, account }: Status, screen: Output, now: number): void {
  if (disputes.length === 0) return
  screen.line()
  screen.line(screen.style('bold', 'open disputes'))
  for (const { caseId, accused, challenger, stage, stageEndsAt, round } of disputes) {
    const parties = accused === account ? `against this node, by ${formatShort(challenger)}` : `by this account, against ${formatShort(accused)}`
    screen.line(`case ${caseId} ${parties}: \`${screen.program} jury status ${caseId}\``)
    screen.line(`  round ${round + 1}, ${stage}${stageEndsAt === null ? '' : ` until ${formatWhen(stageEndsAt, now)}`}`)
  }
}

function viewSlashes({ slashes, account }: Status, screen: Output): void {
  if (slashes.length === 0) return
  screen.line()
  screen.line(screen.style('bold', 'slashes'))
  for (const { node, caseId, at, reason, evidence, ...slash } of slashes) {
    const parts = [
      [slash.bondWei, 'bond'],
      [slash.thawingBondWei, 'thawing bond'],
      [slash.votesWei, 'votes'],
    ] as const
    const lost = parts.filter(([wei]) => wei > 0n).map(([wei, part]) => `${formatCaiShort(wei)} of ${part}`)
    const whose = node === account ? 'this node' : formatShort(node)
    screen.line(`${formatTime(at)} ${whose} lost ${lost.length === 0 ? 'nothing' : lost.join(', ')}`)
    // Penalties of the payments contract have no case.
    screen.line(`  ${caseId === 0n ? '' : `case ${caseId}: `}${reason}`)
    for (const hex of evidence) screen.line(screen.style('dim', `  evidence ${hex.length > 66 ? formatShort(hex) : hex}`))
  }
}
