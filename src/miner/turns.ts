/** Times between which the spread of slots stays as it is. */
export interface Turns {
  /** random in [0, 1), drawn anew at each turn */
  readonly point: number
  /** ms to the next turn */
  getLeftMs(): number
  /** Calls `onTurn` at each turn; returns what ends them. */
  start(onTurn: () => void): () => void
}

/** Turns of `lengthMs`, with points from `random`. */
export function createTurns(lengthMs: number, random: () => number): Turns {
  let point = random()
  let endsAtMs = performance.now() + lengthMs
  return {
    get point() {
      return point
    },
    getLeftMs: () => endsAtMs - performance.now(),
    start(onTurn) {
      const turn = () => {
        point = random()
        endsAtMs = performance.now() + lengthMs
        onTurn()
      }
      const timer = setInterval(turn, lengthMs)
      return () => clearInterval(timer)
    },
  }
}
