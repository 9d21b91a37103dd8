import type { Address, Hash } from '../domain/hex.ts'
import type { RpcClient } from './client.ts'

/** Gives each transaction of an account its own nonce, one after another. */
export interface Nonces {
  /** Runs `send` with the next nonce of `account`, when all earlier ones have been sent. `send` resolves to the transaction's hash. */
  use(account: Address, send: (nonce: number) => Promise<Hash>): Promise<Hash>
}

/**
 * Nonces of one process. The chain's pending count decides; where it lags behind what was sent here (another server behind the
 * same URL), the last transaction is looked up, and its nonce counts as long as the chain knows it.
 */
export function createNonces(client: RpcClient): Nonces {
  const queues = new Map<Address, Promise<unknown>>()
  const sent = new Map<Address, { nonce: number; hash: Hash }>()

  const getNonce = async (account: Address): Promise<number> => {
    const pending = await client.getTransactionCount({ address: account, blockTag: 'pending' })
    const last = sent.get(account)
    if (last === undefined || pending > last.nonce) return pending
    const known: unknown = await client.request({ method: 'eth_getTransactionByHash', params: [last.hash] })
    return known ? last.nonce + 1 : pending
  }

  return {
    use(account, send) {
      const run = async (): Promise<Hash> => {
        const nonce = await getNonce(account)
        const hash = await send(nonce)
        sent.set(account, { nonce, hash })
        return hash
      }
      const result = (queues.get(account) ?? Promise.resolve()).then(run)
      const settled = result.catch(() => undefined)
      queues.set(account, settled)
      return result
    },
  }
}
