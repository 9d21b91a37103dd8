import type { z } from 'zod'
import type { SeatRecord } from '../domain/dispute.ts'
import { formatCaiShort, formatShort, formatTime, formatWhen } from './format.ts'
import { type Duty, formatStage, type zOverview } from './jury.ts'
import type { CaseView } from './juryCase.ts'
import type { Output } from './output.ts'

/** Shows the open disputes, those first in which the viewed node sits. */
export function viewOverview({ disputes, node, nowAt }: z.output<typeof zOverview>, screen: Output): void {
  screen.line(node === null ? 'Seats of no node: choose an account with --account.' : `Seats of ${node}`)
  if (disputes.length === 0) screen.line('No dispute is open.')
  for (const { dispute, current, seat, duty } of disputes) {
    screen.line()
    const title = `case ${dispute.caseId}, round ${dispute.round + 1}: ${formatStage(dispute, current, nowAt)}`
    screen.line(duty.own ? screen.style('bold', `* ${title}`) : `  ${title}`)
    screen.line(`    against ${formatShort(dispute.accused)}, by ${formatShort(dispute.challenger)}, over ${formatCaiShort(dispute.baseWei)}`)
    if (seat !== null && seat.seats > 0) screen.line(`    seats ${seat.seats} of ${current.seats}, ${describeSeat(seat)}`)
    screen.line(`    ${describeDuty(duty, screen.program)}`)
  }
}

/** Shows one case: what it is about, where it stands, every round with its votes and money. */
export function viewCase(view: CaseView, screen: Output): void {
  screen.line(`${screen.style('bold', `case ${view.caseId}`)}, opened ${formatWhen(view.openedAt, view.nowAt)}`)
  viewReason(view, screen)
  const { dispute, rounds, duty } = view
  const current = dispute === null ? undefined : rounds[dispute.round]
  if (dispute !== null && current !== undefined) {
    const verdict = dispute.verdict === 'none' ? '' : `, verdict ${dispute.verdict}`
    row(screen, 'stage', `${formatStage(dispute, current, view.nowAt)}${verdict}`)
    row(screen, 'at stake', `a part of ${formatCaiShort(dispute.baseWei)}; ${formatCaiShort(dispute.feeWei)} per seat of round 1`)
  }
  if (view.slash !== null) {
    const { bondWei, thawingBondWei, votesWei, at } = view.slash
    row(screen, 'slashed', `${formatCaiShort(bondWei + thawingBondWei)} of bond, ${formatCaiShort(votesWei)} of votes, ${formatTime(at)}`)
  }
  for (const round of rounds) viewRound(round, view, screen)
  if (duty !== null) {
    screen.line()
    screen.line(`${describeDuty(duty, screen.program)}`)
  }
  for (const path of view.saved) screen.line(`wrote ${path}`)
}

function viewReason({ reason, accused, by }: CaseView, screen: Output): void {
  row(screen, 'accused', accused)
  row(screen, reason.kind === 'challenge' ? 'challenger' : 'reporter', by)
  if (reason.kind === 'miner-equivocation') {
    row(screen, 'proof', 'two results of one assignment')
    row(screen, 'assignment', reason.assignment)
  } else if (reason.kind === 'coordinator-equivocation') {
    row(screen, 'proof', `one task attempt (${reason.attempt}) given to two miners`)
    row(screen, 'task', reason.taskId)
  } else {
    const { assignment } = reason.receipt
    const { input, params, output } = reason.evidence
    row(screen, 'task', assignment.taskId)
    row(screen, 'manifest', assignment.manifest)
    row(screen, 'issued', formatTime(Number(assignment.issuedAt)))
    row(screen, 'evidence', `input ${toBytes(input)}, params ${toBytes(params)}, output ${toBytes(output)} bytes`)
    for (const { from, data } of reason.additions) row(screen, 'added', `${toBytes(data)} bytes by ${formatShort(from)}`)
    return
  }
  row(screen, 'first', reason.first)
  row(screen, 'second', reason.second)
}

function viewRound(round: CaseView['rounds'][number], { nowAt }: CaseView, screen: Output): void {
  const { commitEndsAt, revealEndsAt, appealEndsAt, validSeats, invalidSeats, cannotJudgeSeats } = round
  screen.line()
  screen.line(`round ${round.round + 1}: ${round.seats} seats${round.verdict === 'none' ? '' : `, verdict ${round.verdict}`}`)
  row(screen, '  seed', round.seed ?? `not yet: randomness round ${round.randomnessRound}`)
  if (commitEndsAt !== null) row(screen, '  commit', `until ${formatWhen(commitEndsAt, nowAt)}`)
  if (revealEndsAt !== null) row(screen, '  reveal', `until ${formatWhen(revealEndsAt, nowAt)}`)
  if (appealEndsAt !== null) row(screen, '  appeal', `until ${formatWhen(appealEndsAt, nowAt)}`)
  row(screen, '  revealed', `valid ${validSeats}, invalid ${invalidSeats}, cannot judge ${cannotJudgeSeats}`)
  row(screen, '  bond', `${formatCaiShort(round.potWei)} for ${round.side} by ${formatShort(round.payer)}`)
  if (round.seat !== null) row(screen, '  own seats', round.seat.seats === 0 ? 'none' : `${round.seat.seats}, ${describeSeat(round.seat)}`)
}

/** What a juror did with its seats. @example describeSeat(seat) // 'revealed: invalid' */
function describeSeat({ commitment, vote, fined, paid }: Pick<SeatRecord, 'commitment' | 'vote' | 'fined' | 'paid'>): string {
  const done = vote !== null ? `revealed: ${vote}` : commitment !== null ? 'committed' : 'not committed'
  return `${done}${fined ? ', fined' : ''}${paid ? ', paid' : ''}`
}

function describeDuty({ text, command }: Duty, program: string): string {
  return `next: ${text}${command === null ? '' : `, \`${program} ${command}\``}`
}

function toBytes(hex: string): number {
  return (hex.length - 2) / 2
}

function row(screen: Output, name: string, value: string): void {
  screen.line(`${name.padEnd(12)}${value}`)
}
