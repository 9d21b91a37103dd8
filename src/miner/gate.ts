/** Lets a number of holders in at a time, first come, first served. */
export interface Gate {
  /** holders now */
  readonly inside: number
  readonly waiting: number
  /** What lets go of the place, once there is one. @throws the signal's reason when it aborts first */
  enter(signal?: AbortSignal): Promise<() => void>
}

/** A gate with `places`, all free. */
export function createGate(places: number): Gate {
  const queue: (() => void)[] = []
  let inside = 0
  const leave = () => {
    inside--
    queue.shift()?.()
  }
  const take = () => {
    inside++
    let isHeld = true
    return () => {
      if (isHeld) leave()
      isHeld = false
    }
  }
  return {
    get inside() {
      return inside
    },
    get waiting() {
      return queue.length
    },
    async enter(signal) {
      signal?.throwIfAborted()
      if (inside < places) return take()
      return new Promise((resolve, reject) => {
        const letIn = () => {
          signal?.removeEventListener('abort', giveUp)
          resolve(take())
        }
        const giveUp = () => {
          queue.splice(queue.indexOf(letIn), 1)
          reject(signal?.reason)
        }
        queue.push(letIn)
        signal?.addEventListener('abort', giveUp, { once: true })
      })
    },
  }
}
