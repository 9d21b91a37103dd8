import type { NodeSetWatch } from '../domain/chainPort.ts'
import { CoordinatorRun } from './coordinatorRun.ts'
import type { MinerContext } from './minerContext.ts'
import type { CoordinatorState } from './minerState.ts'
import { spreadSlots } from './spreadSlots.ts'
import { type CoordinatorChoice, type CoordinatorTarget, toCoordinatorTargets } from './toCoordinatorTargets.ts'

/** Work for all coordinators of a miner. */
export interface RunningCoordinators {
  getStates(): CoordinatorState[]
  /** Ends all work: running tasks get `graceMs` to end and arrive. */
  drain(graceMs: number): Promise<void>
  /** Ends all work now: sessions are closed, which gives running tasks to others. */
  stop(): Promise<void>
}

/**
 * Keeps a session with every coordinator that the chain, or the operator, names: those that appear are added, those that
 * disappear are drained. Slots are spread by weight over those that answer; one that does not is tried with the slots it would
 * have. `onFatal` gets what no retry can mend.
 */
export function runCoordinators(context: MinerContext, watch: NodeSetWatch, choice: CoordinatorChoice, onFatal: (error: unknown) => void): RunningCoordinators {
  const runs = new Map<string, CoordinatorRun>()
  const leaving = new Map<string, CoordinatorRun>()
  let wereMissing = false
  let ended = false

  function add(target: CoordinatorTarget): void {
    const run = new CoordinatorRun(context, target)
    runs.set(target.key, run)
    run.done.catch(onFatal)
    context.events.emit({ type: 'coordinatorAdded', coordinator: run.name })
  }

  function remove(key: string, run: CoordinatorRun): void {
    runs.delete(key)
    leaving.set(key, run)
    context.events.emit({ type: 'coordinatorRemoved', coordinator: run.name })
    void run.drain(context.timing.removedGraceMs).then(() => {
      leaving.delete(key)
      update()
    })
  }

  function update(): void {
    if (ended) return
    const targets = toCoordinatorTargets(watch.current(), choice)
    for (const [key, run] of runs) if (!targets.has(key)) remove(key, run)
    for (const [key, target] of targets) {
      const run = runs.get(key)
      if (run !== undefined) run.setTarget(target)
      // One that comes back before its old session has ended waits for that: two sessions at once are refused.
      else if (!leaving.has(key)) add(target)
    }
    if (targets.size === 0 && !wereMissing) context.events.emit({ type: 'coordinatorsMissing' })
    wereMissing = targets.size === 0
    spread()
  }

  function spread(): void {
    const claims = [...runs].map(([key, run]) => ({ key, weightWei: run.weightWei, reachable: run.reachable }))
    const reachable = claims.filter((claim) => claim.reachable)
    const shares = spreadSlots(context.slots, reachable)
    for (const claim of claims) {
      const share = claim.reachable ? shares.get(claim.key) : spreadSlots(context.slots, [...reachable, claim]).get(claim.key)
      runs.get(claim.key)?.setSlots(share ?? 0)
    }
  }

  async function spreadOnChange(): Promise<void> {
    while (!ended) {
      await context.changed.wait()
      if (!ended) spread()
    }
  }

  const stopWatching = watch.onChange(update)
  update()
  void spreadOnChange()

  async function end(finish: (run: CoordinatorRun) => Promise<void>): Promise<void> {
    ended = true
    stopWatching()
    context.changed.notify()
    await Promise.all([...runs.values(), ...leaving.values()].map(finish))
  }
  return {
    getStates: () => [...runs.values(), ...leaving.values()].map((run) => run.getState()),
    drain: (graceMs) => end((run) => run.drain(graceMs)),
    stop: () => end((run) => run.stop()),
  }
}
