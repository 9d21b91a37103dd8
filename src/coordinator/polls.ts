import { formatAmount } from '../domain/amount.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import type { Coordinator } from './coordinator.ts'
import type { Dispatched, TaskMiner, TaskPoll } from './dispatcher.ts'
import { isPaidEnough } from './miners.ts'

export type PollOutcome = { task: Dispatched } | { reason: string } | { error: CuckooError }

/** Waits up to `waitMs` for a task for `miner`; the outcome without one is a reason in words. */
export function waitForTask(coordinator: Coordinator, miner: TaskMiner, waitMs: number, signal: AbortSignal): Promise<PollOutcome> {
  const { ports, miners, dispatcher } = coordinator
  dropOldestPoll(miner)
  return new Promise((resolve) => {
    const openedAtMs = ports.clock.nowMs()
    const until = performance.now() + waitMs
    let timer: NodeJS.Timeout | undefined
    let isOpen = true
    const settle = (outcome: PollOutcome): boolean => {
      if (!isOpen) return false
      isOpen = false
      clearTimeout(timer)
      signal.removeEventListener('abort', leave)
      miner.polls.delete(poll)
      miners.refresh(miner)
      resolve(outcome)
      return true
    }
    const leave = () => settle({ reason: 'the connection was closed' })
    const poll: TaskPoll = {
      openedAtMs,
      answer: settle,
      hold: () => clearTimeout(timer),
      resume() {
        timer = setTimeout(() => settle({ reason: '' }), Math.max(0, until - performance.now()))
      },
    }
    if (signal.aborted) return void leave()
    signal.addEventListener('abort', leave)
    miner.polls.add(poll)
    poll.resume()
    dispatcher.offer(miner)
  })
}

// One open poll per slot is all that can be used; a miner that opens more has forgotten about the older ones.
function dropOldestPoll(miner: TaskMiner): void {
  if (miner.polls.size < miner.slots) return
  const [oldest] = miner.polls
  oldest?.answer({ reason: 'a newer poll took the place of this one' })
}

/** How many tasks have been drawn so far among miners of this miner's models. */
export function countDraws(coordinator: Coordinator, miner: TaskMiner): number {
  return miner.models.reduce((sum, model) => sum + (isPaidEnough(miner, model) ? (coordinator.miners.findPool(model.digest)?.draws ?? 0) : 0), 0)
}

/** Why this miner got no task, in words, the most telling first. `drawsBefore`: {@link countDraws} when its poll was opened. */
export function explainEmptyPoll(coordinator: Coordinator, miner: TaskMiner, drawsBefore: number): string[] {
  const { board, catalogue, dispatcher, standing, epochs, lines } = coordinator
  const reasons: string[] = []
  const say = (condition: boolean, reason: () => string) => {
    if (condition) reasons.push(reason())
  }
  const standstill = epochs.findProblem()
  say(standstill !== null, () => standstill as string)
  const lineProblem = miner.models.some((model) => model.unitPriceWei > 0n) ? lines.findProblem(miner.session.node) : null
  say(lineProblem !== null, () => lineProblem as string)
  const leased = board.countLeased(miner.session.node)
  say(leased >= miner.slots, () => `all ${miner.slots} of your slots hold a lease`)
  say(miner.models.length === 0, () => 'none of your models was accepted at the handshake')
  const paid = miner.models.filter((model) => isPaidEnough(miner, model))
  for (const { manifest, unitPriceWei } of miner.models)
    say(
      !isPaidEnough(miner, { unitPriceWei }),
      () => `your minimum price of ${miner.minUnitPriceWei} wei per unit is above this coordinator's ${unitPriceWei} wei for '${manifest.model}'`,
    )
  for (const { digest, manifest } of paid)
    say(!catalogue.isUsable(digest), () => `the model '${manifest.model}' cannot be served yet: its tokenizer files have not been handed in`)
  const own = new Set(paid.map((model) => model.digest))
  let waitingHere = 0
  let waitingElsewhere = 0
  for (const [digest, count] of dispatcher.countByModel()) {
    if (own.has(digest)) waitingHere += count
    else if (miner.models.every((model) => model.digest !== digest)) waitingElsewhere += count
  }
  const drawn = countDraws(coordinator, miner) - drawsBefore
  say(drawn > 0, () => `${toCount(drawn, 'task')} for your models went to other miners by the draw`)
  say(
    waitingHere > 0 && leased < miner.slots,
    () => `waiting: ${toCount(waitingHere, 'task')} for your models that you failed before or that name another miner`,
  )
  say(waitingElsewhere > 0, () => `waiting: ${toCount(waitingElsewhere, 'task')} for other models`)
  say(waitingHere === 0, () => 'no task is waiting for your models')
  let totalWei = 0n
  for (const node of standing.current.nodes.values()) if (node.role === 'miner') totalWei += node.weightWei
  say(
    totalWei > 0n,
    () => `your weight is ${formatAmount(miner.weightWei)} CAI, ${(Number((miner.weightWei * 10_000n) / totalWei) / 100).toFixed(2)} % of all active miners`,
  )
  return reasons
}

function toCount(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
