import type { NodeSet } from '../domain/chainPort.ts'
import type { Address } from '../domain/hex.ts'
import type { NodeRecord } from '../domain/node.ts'

/** A coordinator to hold a session with. `key` is its node address, or the URL while no node is known. */
export interface CoordinatorTarget {
  key: string
  url: string
  /** null: a URL that no profile names; whoever answers there says which node it is, and proves it in the handshake */
  node: Address | null
  weightWei: bigint
}

/** What an operator may say about coordinators. */
export interface CoordinatorChoice {
  /** node addresses or URLs to use instead of all active coordinators on chain; empty: all */
  coordinators: readonly string[]
  /** node addresses never to use */
  blocked: readonly Address[]
}

/**
 * The coordinators to work for, by key: the active ones on chain that have a URL, or those that `choice` names, less the
 * blocked. A named address that is not active is left out; a named URL stays, as it may come up later.
 */
export function toCoordinatorTargets(set: NodeSet, choice: CoordinatorChoice): Map<string, CoordinatorTarget> {
  const usable = [...set.nodes.values()].filter(isUsableCoordinator).filter(({ node }) => !choice.blocked.includes(node))
  const targets: CoordinatorTarget[] =
    choice.coordinators.length === 0
      ? usable.map(toTarget)
      : choice.coordinators.flatMap((named) => {
          if (!isUrl(named)) return usable.filter(({ node }) => node === named.toLowerCase()).map(toTarget)
          const owner = usable.find(({ profile }) => toUrlKey(profile.url) === toUrlKey(named))
          return [{ key: owner?.node ?? named, url: named, node: owner?.node ?? null, weightWei: owner?.weightWei ?? 0n }]
        })
  return new Map(targets.map((target) => [target.key, target]))
}

function isUsableCoordinator(node: NodeRecord): node is NodeRecord & { profile: { url: string } } {
  return node.role === 'coordinator' && node.active && node.profile !== null && URL.canParse(node.profile.url)
}

function toTarget(node: NodeRecord & { profile: { url: string } }): CoordinatorTarget {
  return { key: node.node, url: node.profile.url, node: node.node, weightWei: node.weightWei }
}

function isUrl(named: string): boolean {
  return /^https?:/i.test(named) && URL.canParse(named)
}

/** URLs that differ in a trailing slash or in the case of the host are the same. */
function toUrlKey(url: string): string {
  return new URL(url).href.replace(/\/+$/, '')
}
