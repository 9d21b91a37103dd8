import { formatAmount } from '../domain/amount.ts'
import type { NodeSet, NodeSetWatch } from '../domain/chainPort.ts'
import type { Address } from '../domain/hex.ts'
import { bondThresholdWei, type NodeRecord, type Role } from '../domain/node.ts'
import { Notifier } from './notifier.ts'

/** Why the node may not act as `role`, in words that go after "because", or null when it may: registered, that role, active, bond strictly over the threshold. */
export function findRefusal(node: NodeRecord | undefined, role: Role): string | null {
  if (node === undefined || node.role === 'none') return `it is not registered as a ${role}`
  if (node.role !== role) return `it is registered as a ${node.role}, not as a ${role}`
  if (node.bondWei <= bondThresholdWei[role]) return `its bond of ${formatAmount(node.bondWei)} CAI is not over ${formatAmount(bondThresholdWei[role])} CAI`
  if (node.suspended) return 'it is suspended: it has not revealed the secret of a draw epoch in time'
  if (node.away) return node.jailedUntil > 0 ? 'it is away: it rests, or was jailed, until `cuckoo node rejoin`' : 'it rests until `cuckoo node rejoin`'
  if (!node.active) return 'it is not active on chain'
  return null
}

/** The node set as the coordinator uses it: who may mine here, and with what weight. */
export class NodeStanding {
  readonly #watch: NodeSetWatch
  readonly #changed = new Notifier()
  readonly #stop: () => void

  constructor(watch: NodeSetWatch, onChange: (set: NodeSet) => void) {
    this.#watch = watch
    this.#stop = watch.onChange((set) => {
      onChange(set)
      this.#changed.notify()
    })
  }

  get ageMs(): number {
    return this.#watch.ageMs()
  }

  get current(): NodeSet {
    return this.#watch.current()
  }

  find(node: Address): NodeRecord | undefined {
    return this.#watch.current().nodes.get(node)
  }

  /** Waits until the node set has `node` in order as `role`; gives up after `timeoutMs`. What is found is returned either way. */
  async waitFor(node: Address, role: Role, timeoutMs: number): Promise<NodeRecord | undefined> {
    const until = performance.now() + timeoutMs
    const never = new AbortController().signal
    while (findRefusal(this.find(node), role) !== null && performance.now() < until) await this.#changed.wait(never, until - performance.now())
    return this.find(node)
  }

  async close(): Promise<void> {
    this.#stop()
    this.#changed.notify()
    await this.#watch.stop()
  }
}
