import type { NodeSetWatch } from '../domain/chainPort.ts'
import { CoordinatorRun } from './coordinatorRun.ts'
import type { MinerContext } from './minerContext.ts'
import type { CoordinatorState } from './minerState.ts'
import { spreadSlots } from './spreadSlots.ts'
import { type CoordinatorChoice, type CoordinatorTarget, toCoordinatorTargets } from './toCoordinatorTargets.ts'

/** Work for all coordinators of a miner. */
export interface RunningCoordinators {
  getStates(): CoordinatorState[]
  /** Asks for no more tasks until {@link resume}; resolves when the running ones have left their models. */
  pause(): Promise<void>
  resume(): void
  /** Ends all work: running tasks get `graceMs` to end and arrive. */
  drain(graceMs: number): Promise<void>
  /** Ends all work now: sessions are closed, which gives running tasks to others. */
  stop(): Promise<void>
}

/**
 * Keeps a session with every coordinator that the chain, or the operator, names: those that appear are added, those that
 * disappear are drained. Slots are spread by weight × payment factor over those that answer, anew at each turn, so that over
 * time each gets its share even where there are fewer slots than coordinators; one that does not answer is tried with the slots it
 * would have. `onFatal` gets what no retry can mend.
 */
export function runCoordinators(context: MinerContext, watch: NodeSetWatch, choice: CoordinatorChoice, onFatal: (error: unknown) => void): RunningCoordinators {
  const { turns } = context
  const runs = new Map<string, CoordinatorRun>()
  const leaving = new Map<string, CoordinatorRun>()
  let wereMissing = false
  let ended = false
  let paused = false

  /** One coordinator could lie about it: a second one must say so too, where there is one, and none the contrary. */
  function isElsewhere(): boolean {
    const standings = [...runs.values()].map(({ standing }) => standing)
    return !standings.includes('accepted') && standings.filter((standing) => standing === 'taken').length >= Math.min(2, runs.size)
  }

  function add(target: CoordinatorTarget): void {
    const run = new CoordinatorRun(context, target, isElsewhere)
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
    if (paused) return
    const claims = [...runs].map(([key, run]) => ({ key, weightWei: toClaim(run), reachable: run.reachable }))
    const reachable = claims.filter((claim) => claim.reachable)
    const shares = spreadSlots(context.slots, reachable, turns.point)
    for (const claim of claims) {
      const share = claim.reachable ? shares.get(claim.key) : spreadSlots(context.slots, [...reachable, claim], turns.point).get(claim.key)
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
  const stopTurns = turns.start(spread)
  update()
  void spreadOnChange()

  async function end(finish: (run: CoordinatorRun) => Promise<void>): Promise<void> {
    ended = true
    stopWatching()
    stopTurns()
    context.changed.notify()
    await Promise.all([...runs.values(), ...leaving.values()].map(finish))
  }
  return {
    getStates: () => [...runs.values(), ...leaving.values()].map((run) => run.getState()),
    async pause() {
      paused = true
      for (const run of [...runs.values(), ...leaving.values()]) run.pausePolls()
      while (paused && context.engineLoad.running > 0) await context.changed.wait()
    },
    resume() {
      paused = false
      spread()
    },
    drain: (graceMs) => end((run) => run.drain(graceMs)),
    stop: () => end((run) => run.stop()),
  }
}

/** Weight × payment factor, in thousandths. */
function toClaim({ weightWei, paymentFactor }: CoordinatorRun): bigint {
  return (weightWei * BigInt(Math.round(paymentFactor * 1_000))) / 1_000n
}
