import type { TxOptions, TxReport } from '../domain/chainPort.ts'
import { CuckooError } from '../errors/cuckooError.ts'
import type { Context } from './context.ts'
import { runTransaction } from './transactions.ts'

/** One transaction of several that do not depend on each other. */
export interface Step<T> {
  /** what it is about: goes into the output beside the report */
  facts: T
  send(options: TxOptions): Promise<TxReport>
}

/**
 * Sends one after the other and gives each to `onSent`. One that the contract refuses (somebody else may have been faster) is a
 * warning and does not stop the others.
 * @throws the last refusal, when every one was refused
 */
export async function runSeries<T>(
  context: Context<never>,
  options: { dryRun: boolean; waitFinality: boolean },
  steps: readonly Step<T>[],
  onSent: (report: TxReport & T) => void,
): Promise<number> {
  let sent = 0
  let refusal: CuckooError | undefined
  for (const { facts, send } of steps) {
    try {
      onSent({ ...(await runTransaction(context, options, send)), ...facts })
      sent++
    } catch (error) {
      if (!(error instanceof CuckooError && error.kind === 'rejected')) throw error
      refusal = error
      if (steps.length > 1) context.output.warn(error.message)
    }
  }
  if (sent === 0 && refusal !== undefined) throw refusal
  return sent
}
